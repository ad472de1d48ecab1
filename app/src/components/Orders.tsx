// Resting orders of one or more accounts: replaced, cancelled one by one, by side, or all.
import { useState } from 'react';

import { useMarkets, useOrders, type Held } from '../hooks/chain';
import { useSession } from '../hooks/session';
import { formatDecimal } from '../lib/decimal';
import { cancelAll, cancelOrder, type Side } from '../lib/orders';
import { price, priceScale, size, usd } from '../lib/units';
import type { AccountInfo, MarketInfo, OpenOrder } from '../wasm/ballast_wasm';
import { Whose } from './Accounts';
import { ReplaceDialog } from './ReplaceDialog';

/** A moment as a table says it; 0 is never. */
export function until(unix: bigint): string {
  return unix === 0n ? 'never' : new Date(Number(unix) * 1_000).toLocaleString('en-GB', { day: '2-digit', month: 'short', hour: '2-digit', minute: '2-digit', second: '2-digit' });
}

/** Where a peg stands from the mark. */
export function pegWords(peg: bigint, market: MarketInfo): string {
  return peg === 0n ? 'mark' : `mark ${formatDecimal(peg, priceScale(market), { sign: true })}`;
}

const CANCELS: [Side, string][] = [
  ['bids', 'Cancel bids'],
  ['asks', 'Cancel asks'],
  ['both', 'Cancel all'],
];

/** Resting orders of accounts, each cancelled and replaced for its own. */
export function Orders({ accounts }: { accounts: readonly AccountInfo[] }) {
  const { chain, run, connected } = useSession();
  const markets = useMarkets();
  const orders = useOrders(accounts);
  const [replacing, setReplacing] = useState<Held<OpenOrder> | null>(null);
  if (orders.length === 0) return <p className="p-3 text-muted">No resting orders.</p>;
  const traderOf = (account: AccountInfo): string => connected?.account.address ?? account.owner;
  const concerns = (side: Side) => orders.filter(({ item: { buys } }) => side === 'both' || buys === (side === 'bids'));
  const cancel = (side: Side, words: string): void => {
    // One instruction for each account and market.
    const places = new Map(concerns(side).map(({ account, item: { market } }) => [`${account.address}/${market}`, { account, market }]));
    void run(words, () => [...places.values()].map(({ account, market }) => cancelAll(chain.markets(), account, traderOf(account), market, side)));
  };
  return (
    <>
      <div className="flex gap-1 px-3 pt-1" role="group" aria-label="Cancel many">
        {CANCELS.map(([side, words]) => (
          <button key={side} type="button" className="plain py-0.5 text-2xs" disabled={concerns(side).length === 0} onClick={() => cancel(side, words)}>
            {words}
          </button>
        ))}
      </div>
      <table className="grid-table" data-testid="orders">
        <thead>
          <tr>
            <th scope="col">Market</th>
            <th scope="col">Side</th>
            <th scope="col" className="right">Price</th>
            <th scope="col" className="right">Size</th>
            <th scope="col" className="right">Value</th>
            <th scope="col">Expires</th>
            <th scope="col"><span className="sr-only">Actions</span></th>
          </tr>
        </thead>
        <tbody>
          {orders.map((held) => {
            const { account, item: order } = held;
            const market = markets[order.market];
            if (!market) return null;
            const words = `the order to ${order.buys ? 'buy' : 'sell'} ${size(order.lots, market)} ${market.symbol} at ${price(order.standing, market)}`;
            return (
              <tr key={`${account.address}/${market.index}/${order.id}`}>
                <td><span className="font-medium">{market.symbol}</span><Whose account={account} accounts={accounts} /></td>
                <td>
                  <span className={order.buys ? 'text-up' : 'text-down'}>{order.buys ? 'Buy' : 'Sell'}</span>
                  {order.reduceOnly && <span className="ml-1 text-2xs text-muted" title="It never does more than reduce the position">reduces</span>}
                </td>
                <td className="num right">
                  {price(order.standing, market)}
                  {order.peg !== undefined && (
                    <span className="ml-1 text-2xs text-muted" title={`Follows the mark, never beyond ${price(order.price, market)}`}>
                      {pegWords(order.peg, market)}
                    </span>
                  )}
                </td>
                <td className="num right">{size(order.lots, market)}</td>
                <td className="num right">{usd(order.lots * order.standing)}</td>
                <td className="num">{until(order.expiresAt)}</td>
                <td className="right">
                  <span className="inline-flex gap-1">
                    <button type="button" className="plain py-0.5" aria-label={`Replace ${words}`} onClick={() => setReplacing(held)}>Replace</button>
                    <button
                      type="button"
                      className="plain py-0.5"
                      aria-label={`Cancel ${words}`}
                      onClick={() => void run(`Cancel ${size(order.lots, market)} ${market.symbol}`, () => [cancelOrder(chain.markets(), account, traderOf(account), order)])}
                    >
                      Cancel
                    </button>
                  </span>
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
      {replacing && markets[replacing.item.market] && (
        <ReplaceDialog account={replacing.account} order={replacing.item} market={markets[replacing.item.market]!} onClose={() => setReplacing(null)} />
      )}
    </>
  );
}
