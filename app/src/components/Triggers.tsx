// Take-profits, stops and trailing stops of one or more accounts, and their ladders.
import { useState } from 'react';

import { useMarkets, useTriggers, type Held } from '../hooks/chain';
import { useSession } from '../hooks/session';
import { cancelAllTriggers, cancelTrigger } from '../lib/protection';
import { percent, price, share, size } from '../lib/units';
import type { AccountInfo, MarketInfo, TriggerInfo } from '../wasm/ballast_wasm';
import { Whose, accountName } from './Accounts';
import { LadderDialog } from './LadderDialog';
import { until } from './Orders';
import { EditTriggerDialog } from './ProtectDialog';

/** What a trigger is called. */
export function triggerName({ stop, trailPpm }: Pick<TriggerInfo, 'stop' | 'trailPpm'>): string {
  return trailPpm !== undefined ? 'Trailing stop' : stop ? 'Stop' : 'Take-profit';
}

/** What a trigger places. */
function places(trigger: TriggerInfo, market: MarketInfo): string {
  return trigger.limit !== undefined ? `limit ${price(trigger.limit, market)}` : `market, ${percent(trigger.slippageBps ?? 0)} at most`;
}

/** The triggers of accounts, and their ladders above them. */
export function Triggers({ accounts }: { accounts: readonly AccountInfo[] }) {
  const { run, connected } = useSession();
  const markets = useMarkets();
  const triggers = useTriggers(accounts);
  const [editing, setEditing] = useState<Held<TriggerInfo> | null>(null);
  const traderOf = (account: AccountInfo): string => connected?.account.address ?? account.owner;
  const cancelThemAll = (): void => {
    const places = new Map(triggers.map(({ account, item: { market } }) => [`${account.address}/${market}`, { account, market }]));
    void run('Cancel all triggers', () => [...places.values()].map(({ account, market }) => cancelAllTriggers(markets[market]!, account, traderOf(account))));
  };
  return (
    <>
      {accounts.map((account) => <Ladder key={account.address} account={account} named={accounts.length > 1} />)}
      {triggers.length === 0 ? (
        <p className="p-3 text-muted">No take-profits or stops.</p>
      ) : (
        <table className="grid-table" data-testid="triggers">
          <thead>
            <tr>
              <th scope="col">Market</th>
              <th scope="col">Kind</th>
              <th scope="col" className="right">Fires at</th>
              <th scope="col" className="right">From the mark</th>
              <th scope="col" className="right">Size</th>
              <th scope="col">Places</th>
              <th scope="col">Pair</th>
              <th scope="col">Expires</th>
              <th scope="col" className="right">
                <button type="button" className="link" onClick={cancelThemAll}>cancel all</button>
              </th>
            </tr>
          </thead>
          <tbody>
            {triggers.map((held) => {
              const { account, item: trigger } = held;
              const market = markets[trigger.market];
              if (!market) return null;
              const name = triggerName(trigger);
              const words = `the ${name.toLowerCase()} of ${market.symbol} at ${price(trigger.price, market)}`;
              const distance = trigger.price > market.mark ? trigger.price - market.mark : market.mark - trigger.price;
              return (
                <tr key={`${account.address}/${market.index}/${trigger.id}`}>
                  <td><span className="font-medium">{market.symbol}</span><Whose account={account} accounts={accounts} /></td>
                  <td>
                    {name}
                    {trigger.trailPpm !== undefined && <span className="num text-muted"> {percent(trigger.trailPpm / 100)}</span>}
                    {trigger.waits && <span className="text-muted" title="It waits for the entry order"> waits</span>}
                  </td>
                  <td className="num right">{price(trigger.price, market)}</td>
                  <td className="num right">{share(distance, market.mark)}</td>
                  <td className="num right">{trigger.lots === undefined ? 'whole' : size(trigger.lots, market)}</td>
                  <td className="num">{places(trigger, market)}</td>
                  <td className="text-muted">{trigger.pair !== undefined ? 'one cancels other' : trigger.pairOrder !== undefined ? 'with an order' : '–'}</td>
                  <td className="num">{until(trigger.expiresAt)}</td>
                  <td className="right">
                    <span className="inline-flex gap-1">
                      <button type="button" className="plain py-0.5" aria-label={`Edit ${words}`} onClick={() => setEditing(held)}>Edit</button>
                      <button
                        type="button"
                        className="plain py-0.5"
                        aria-label={`Cancel ${words}`}
                        onClick={() => void run(`Cancel the ${name.toLowerCase()} of ${market.symbol}`, () => [cancelTrigger(market, account, traderOf(account), trigger.id)])}
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
      )}
      {editing && markets[editing.item.market] && (
        <EditTriggerDialog account={editing.account} trigger={editing.item} market={markets[editing.item.market]!} onClose={() => setEditing(null)} />
      )}
    </>
  );
}

/** An account's ladder in a line. */
function Ladder({ account, named }: { account: AccountInfo; named: boolean }) {
  const { own } = useSession();
  const [editing, setEditing] = useState(false);
  const { rungs } = account.ladder;
  return (
    <div className="flex flex-wrap items-center gap-x-3 gap-y-1 px-3 pt-1" data-testid="ladder">
      <span className="text-muted" title="Reductions that anyone carries out when the account’s margin ratio falls, before liquidation">Ladder{named && ` of ${accountName(account)}`}</span>
      {rungs.length === 0 && <span className="text-muted">none</span>}
      {rungs.map(({ ratioBps, reduceBps, leftPpm }) => (
        <span key={ratioBps} className="num rounded bg-raised px-1.5 py-0.5">
          at {percent(ratioBps, 0)} reduce {percent(reduceBps, 0)}
          {leftPpm === 0 && <span className="text-muted"> done</span>}
        </span>
      ))}
      {own && <button type="button" className="plain py-0.5 text-2xs" onClick={() => setEditing(true)}>{rungs.length === 0 ? 'Set a ladder' : 'Edit the ladder'}</button>}
      {editing && <LadderDialog account={account} onClose={() => setEditing(false)} />}
    </div>
  );
}
