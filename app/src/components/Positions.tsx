// What accounts hold: positions with their dangers, and what can be done about them.
import { useState } from 'react';

import { useMarkets, useTriggers } from '../hooks/chain';
import { hrefOf } from '../hooks/route';
import { takenAlarm } from '../lib/alarms';
import { abs, percent, price, share, size, usd } from '../lib/units';
import type { AccountInfo, MarketInfo, PositionInfo, TriggerInfo } from '../wasm/ballast_wasm';
import { Whose } from './Accounts';
import { CloseDialog } from './CloseDialog';
import { Lights } from './Lights';
import { MarginDialog } from './MarginDialog';
import { entryPrice } from './MarketBar';
import { ProtectDialog } from './ProtectDialog';
import { STAGES, signed } from './Summary';
import { triggerName } from './Triggers';

type Task = 'close' | 'protect' | 'margin';

/** All positions of accounts. */
export function Positions({ accounts }: { accounts: readonly AccountInfo[] }) {
  const markets = useMarkets();
  const triggers = useTriggers(accounts);
  const [doing, setDoing] = useState<{ task: Task; number: number; market: number } | null>(null);
  const held = accounts.flatMap((account) => account.positions.filter(({ lots }) => lots !== 0n).map((position) => ({ account, position })));
  if (held.length === 0) return <><p className="p-3 text-muted">No positions.</p><Taken accounts={accounts} /></>;
  const { account, position } = held.find((one) => one.account.number === doing?.number && one.position.market === doing.market) ?? {};
  const market = doing ? markets[doing.market] : undefined;
  const done = (): void => setDoing(null);
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
            <th scope="col" className="right" title="The account’s equity over its maintenance margin: liquidation begins below 100 %">Margin ratio</th>
            <th scope="col">Deleveraging</th>
            <th scope="col" title="Where take-profits and stops fire">Protection</th>
            <th scope="col"><span className="sr-only">Actions</span></th>
          </tr>
        </thead>
        <tbody>
          {held.map((one) => {
            const its = markets[one.position.market];
            if (!its) return null;
            const { number } = one.account;
            const protectedBy = triggers.filter((trigger) => trigger.account.number === number && trigger.item.market === its.index).map(({ item }) => item);
            return (
              <PositionRow
                key={`${number}/${its.index}`}
                {...one}
                accounts={accounts}
                market={its}
                triggers={protectedBy}
                onTask={(task) => setDoing({ task, number, market: its.index })}
              />
            );
          })}
        </tbody>
      </table>
      <Taken accounts={accounts} />
      {account && position && market && doing?.task === 'close' && <CloseDialog account={account} position={position} market={market} onClose={done} />}
      {account && position && market && doing?.task === 'protect' && <ProtectDialog account={account} position={position} market={market} onClose={done} />}
      {account && doing?.task === 'margin' && <MarginDialog account={account} onClose={done} />}
    </>
  );
}

/** Positions of which a deleveraging has taken everything, and which are gone before that is booked. */
function Taken({ accounts }: { accounts: readonly AccountInfo[] }) {
  const markets = useMarkets();
  const gone = accounts.flatMap((account) => account.positions.filter(({ lots, deleveraged }) => lots === 0n && deleveraged > 0n).map((position) => ({ account, position })));
  return gone.map(({ account, position: { market, deleveraged, deleveragedCash } }) => {
    const info = markets[market];
    if (!info) return null;
    const { title, detail } = takenAlarm(deleveraged, deleveragedCash, account.number, info);
    return <p key={`${account.address}/${market}`} className="px-3 py-1.5 text-warn">{title}: {detail} <a className="link" href={hrefOf({ page: 'why', market: '' })}>Why?</a></p>;
  });
}

interface RowProps {
  account: AccountInfo;
  /** All that are shown. */
  accounts: readonly AccountInfo[];
  position: PositionInfo;
  market: MarketInfo;
  triggers: readonly TriggerInfo[];
  onTask: (task: Task) => void;
}

function PositionRow({ account, accounts, position, market, triggers, onTask }: RowProps) {
  const { lots, basis, notional, profit, funding, liquidationPrice, bankruptcyPrice, maintenance, rank, waiting, deleveraged, deleveragedCash } = position;
  const { marginRatioBps, stage } = account;
  const long = lots > 0n;
  return (
    <tr>
      <td>
        <a href={hrefOf({ page: 'trade', market: market.symbol })} className="font-medium hover:underline">{market.symbol}</a>{' '}
        <span className={long ? 'text-up' : 'text-down'}>{long ? 'long' : 'short'}</span>
        <Whose account={account} accounts={accounts} />
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
      <td className="num right" title={`Maintenance margin of this position: ${usd(maintenance)}`}>
        {marginRatioBps === undefined ? '–' : percent(marginRatioBps, 0)}{' '}
        <span className={`text-2xs ${stage === 'healthy' ? 'text-up' : 'text-down'}`}>{STAGES[stage] ?? stage}</span>
      </td>
      <td>
        <Lights rank={rank} />
        {deleveraged > 0n && (
          <span className="num ml-2 text-2xs text-warn" title={`Taken for another’s bankruptcy, for ${usd(abs(deleveragedCash))}. It is booked when the account is next touched.`}>
            −{size(deleveraged, market)} taken
          </span>
        )}
      </td>
      <td className="num">
        {triggers.length === 0 ? (
          <span className="text-muted">none</span>
        ) : (
          <span className="inline-flex gap-2">
            {triggers.slice(0, 2).map((trigger) => (
              <span key={String(trigger.id)} className={trigger.stop ? 'text-down' : 'text-up'} title={triggerName(trigger)}>
                {trigger.stop ? 'SL' : 'TP'} {price(trigger.price, market)}
              </span>
            ))}
            {triggers.length > 2 && <span className="text-muted">+{triggers.length - 2}</span>}
          </span>
        )}
      </td>
      <td className="right">
        <span className="inline-flex gap-1">
          <button type="button" className="plain py-0.5" onClick={() => onTask('protect')}>Protect</button>
          <button type="button" className="plain py-0.5" onClick={() => onTask('margin')}>Margin</button>
          <button type="button" className="plain py-0.5" onClick={() => onTask('close')}>Close</button>
        </span>
      </td>
    </tr>
  );
}
