// What the account has: positions with their dangers, resting orders, and a summary.
import { useState } from 'react';

import { useMarkets, useOrders } from '../hooks/chain';
import { hrefOf } from '../hooks/route';
import { useSession } from '../hooks/session';
import { MAX_MAKERS, cancelAll, cancelOrder, placeOrder, worstPrice } from '../lib/actions';
import { abs, parseSize, percent, price, share, size, usd } from '../lib/units';
import type { AccountInfo, MarketInfo, PositionInfo } from '../wasm/ballast_wasm';
import { Dialog } from './Dialog';
import { Lights } from './Lights';
import { entryPrice } from './MarketBar';

/** How far beyond the mark a position is closed at most. */
const CLOSE_SLIPPAGE_BPS = 100n;

function signed(value: bigint): string {
  return value > 0n ? 'text-up' : value < 0n ? 'text-down' : '';
}

/** All positions of an account. */
export function Positions({ account }: { account: AccountInfo }) {
  const markets = useMarkets();
  const [closing, setClosing] = useState<PositionInfo | null>(null);
  const held = account.positions.filter(({ lots }) => lots !== 0n);
  if (held.length === 0) return <p className="p-3 text-muted">No positions.</p>;
  return (
    <>
      <table className="grid-table" data-testid="positions">
        <thead>
          <tr>
            <th scope="col">Market</th>
            <th scope="col" className="right">Size</th>
            <th scope="col" className="right">Value</th>
            <th scope="col" className="right">Entry</th>
            <th scope="col" className="right">Mark</th>
            <th scope="col" className="right">Profit</th>
            <th scope="col" className="right" title="Since the last settlement">Funding</th>
            <th scope="col" className="right" title="The mark at which liquidation begins is one step beyond this">Liquidation</th>
            <th scope="col" className="right" title="The price at which the account has nothing left, and at which others would be deleveraged">Bankruptcy</th>
            <th scope="col" className="right">Margin</th>
            <th scope="col">Deleveraging</th>
            <th scope="col"><span className="sr-only">Actions</span></th>
          </tr>
        </thead>
        <tbody>
          {held.map((position) => {
            const market = markets[position.market];
            if (!market) return null;
            return <PositionRow key={position.market} position={position} market={market} onClose={() => setClosing(position)} />;
          })}
        </tbody>
      </table>
      {closing && markets[closing.market] && (
        <CloseDialog account={account} position={closing} market={markets[closing.market]!} onClose={() => setClosing(null)} />
      )}
    </>
  );
}

function PositionRow({ position, market, onClose }: { position: PositionInfo; market: MarketInfo; onClose: () => void }) {
  const { lots, basis, notional, profit, funding, liquidationPrice, bankruptcyPrice, maintenance, rank, waiting } = position;
  const long = lots > 0n;
  return (
    <tr>
      <td>
        <a href={hrefOf({ page: 'trade', market: market.symbol })} className="font-medium hover:underline">{market.symbol}</a>{' '}
        <span className={long ? 'text-up' : 'text-down'}>{long ? 'long' : 'short'}</span>
      </td>
      <td className="num right" title={waiting === 0n ? undefined : `${size(waiting, market)} of it are fills that wait to be settled`}>
        {size(abs(lots), market)}
        {waiting !== 0n && <span className="text-muted"> *</span>}
      </td>
      <td className="num right">{usd(notional)}</td>
      <td className="num right">{price(entryPrice(basis, lots), market)}</td>
      <td className="num right">{price(market.mark, market)}</td>
      <td className={`num right ${signed(profit)}`}>
        {usd(profit, 2, true)} <span className="text-2xs">({share(profit, abs(basis))})</span>
      </td>
      <td className={`num right ${signed(funding)}`}>{usd(funding, 4, true)}</td>
      <td className="num right text-warn">{liquidationPrice === undefined ? '–' : price(liquidationPrice, market)}</td>
      <td className="num right">{bankruptcyPrice === undefined || bankruptcyPrice <= 0n ? '–' : price(bankruptcyPrice, market)}</td>
      <td className="num right">{usd(maintenance)}</td>
      <td><Lights rank={rank} /></td>
      <td className="right">
        <button type="button" className="plain py-0.5" onClick={onClose}>Close</button>
      </td>
    </tr>
  );
}

interface CloseProps {
  account: AccountInfo;
  position: PositionInfo;
  market: MarketInfo;
  onClose: () => void;
}

function CloseDialog({ account, position, market, onClose }: CloseProps) {
  const { chain, run, connected } = useSession();
  const whole = abs(position.lots);
  const [text, setText] = useState(size(whole, market).replaceAll(',', ''));
  const lots = parseSize(text, market);
  const valid = lots !== null && lots > 0n && lots <= whole;
  const buys = position.lots < 0n;
  const order = {
    market: market.index,
    buys,
    kind: 'immediateOrCancel' as const,
    price: worstPrice(market, buys, CLOSE_SLIPPAGE_BPS),
    lots: lots ?? 0n,
    reduceOnly: true,
    maxMakers: MAX_MAKERS,
  };
  const preview = valid ? chain.ask((desk) => desk.preview(account.address, order)) : null;
  const submit = async (): Promise<void> => {
    if (!connected || !valid) return;
    onClose();
    await run(`Close ${size(order.lots, market)} ${market.symbol}`, () => [
      placeOrder(chain.markets(), account, connected.account.address, order),
    ]);
  };
  return (
    <Dialog title={`Close ${market.symbol} ${buys ? 'short' : 'long'}`} onClose={onClose}>
      <form
        className="grid gap-3"
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        <label className="grid gap-1">
          <span className="text-muted">Size ({market.symbol}), of {size(whole, market)}</span>
          <input className="field" inputMode="decimal" value={text} onChange={({ target }) => setText(target.value)} />
        </label>
        <div role="group" aria-label="Part of the position" className="grid grid-cols-4 gap-1">
          {[25n, 50n, 75n, 100n].map((part) => (
            <button key={String(part)} type="button" className="plain px-0 py-1" onClick={() => setText(size((whole * part) / 100n, market).replaceAll(',', ''))}>
              {String(part)} %
            </button>
          ))}
        </div>
        {preview && (
          <dl className="grid grid-cols-2 gap-y-1">
            <dt className="text-muted">Average price</dt>
            <dd className="num text-right">{preview.filled === 0n ? '–' : price(preview.quote / preview.filled, market)}</dd>
            <dt className="text-muted">Worst price</dt>
            <dd className="num text-right">{price(order.price, market)}</dd>
            <dt className="text-muted">Fee</dt>
            <dd className="num text-right">{usd(preview.fee, 4)}</dd>
            {preview.dropped > 0n && (
              <>
                <dt className="text-muted">The book lacks</dt>
                <dd className="num text-right text-warn">{size(preview.dropped, market)}</dd>
              </>
            )}
          </dl>
        )}
        {preview?.refusal && <p role="alert" className="text-down">{preview.refusal.message}</p>}
        <button type="submit" className="primary" disabled={!valid || preview?.refusal !== undefined}>
          Close at the market
        </button>
      </form>
    </Dialog>
  );
}

/** Resting orders of an account. */
export function Orders({ account }: { account: AccountInfo }) {
  const { chain, run, connected } = useSession();
  const markets = useMarkets();
  const orders = useOrders(account);
  if (orders.length === 0) return <p className="p-3 text-muted">No resting orders.</p>;
  const trader = connected?.account.address ?? account.owner;
  const inMarkets = [...new Set(orders.map(({ market }) => market))];
  return (
    <table className="grid-table" data-testid="orders">
      <thead>
        <tr>
          <th scope="col">Market</th>
          <th scope="col">Side</th>
          <th scope="col" className="right">Price</th>
          <th scope="col" className="right">Size</th>
          <th scope="col" className="right">Value</th>
          <th scope="col">Expires</th>
          <th scope="col" className="right">
            <button
              type="button"
              className="link"
              onClick={() => void run('Cancel all orders', () => inMarkets.map((market) => cancelAll(chain.markets(), account, trader, market)))}
            >
              cancel all
            </button>
          </th>
        </tr>
      </thead>
      <tbody>
        {orders.map((order) => {
          const market = markets[order.market];
          if (!market) return null;
          return (
            <tr key={String(order.id)}>
              <td className="font-medium">{market.symbol}</td>
              <td className={order.buys ? 'text-up' : 'text-down'}>{order.buys ? 'Buy' : 'Sell'}</td>
              <td className="num right">{price(order.price, market)}</td>
              <td className="num right">{size(order.lots, market)}</td>
              <td className="num right">{usd(order.lots * order.price)}</td>
              <td className="num">{order.expiresAt === 0n ? 'never' : new Date(Number(order.expiresAt) * 1_000).toLocaleString('en-GB')}</td>
              <td className="right">
                <button
                  type="button"
                  className="plain py-0.5"
                  aria-label={`Cancel the order to ${order.buys ? 'buy' : 'sell'} ${size(order.lots, market)} ${market.symbol} at ${price(order.price, market)}`}
                  onClick={() => void run(`Cancel ${size(order.lots, market)} ${market.symbol}`, () => [cancelOrder(chain.markets(), account, trader, order)])}
                >
                  Cancel
                </button>
              </td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

const STAGES: Record<string, string> = {
  healthy: 'Healthy',
  restricted: 'Reduce only',
  partial: 'In liquidation',
  takeover: 'Open to takeover',
  bankrupt: 'Bankrupt',
};

/** An account in a few numbers. */
export function Summary({ account }: { account: AccountInfo }) {
  const { equity, initialEquity, initial, maintenance, notional, settled, unsettled, profit, marginRatioBps, stage } = account;
  const free = initialEquity - initial;
  const facts: [string, string, string][] = [
    ['Equity', usd(equity), ''],
    ['Profit of positions', usd(profit, 2, true), signed(profit)],
    ['Free for new positions', usd(free > 0n ? free : 0n), ''],
    ['Settled money', usd(settled), ''],
    ['Not settled yet', usd(unsettled, 2, true), signed(unsettled)],
    ['Initial margin', usd(initial), ''],
    ['Maintenance margin', usd(maintenance), ''],
    ['Margin ratio', marginRatioBps === undefined ? '–' : percent(marginRatioBps, 0), stage === 'healthy' ? '' : 'text-warn'],
    ['Value of positions', usd(notional), ''],
    ['Stage', STAGES[stage] ?? stage, stage === 'healthy' ? 'text-up' : 'text-down'],
  ];
  return (
    <dl className="grid grid-cols-2 gap-x-6 gap-y-1 p-3 sm:grid-cols-5" data-testid="summary">
      {facts.map(([name, value, colour]) => (
        <div key={name}>
          <dt className="text-2xs text-muted">{name}</dt>
          <dd className={`num ${colour}`}>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
