// What happened to an account: orders, fills, profit, funding, transfers, liquidations, deleveragings, from an indexer; without one,
// the forced reductions that the node remembers.
import { useMemo, useState } from 'react';

import { useMarkets, useTopic } from '../../hooks/chain';
import { useIndexer, useNews, useRemote } from '../../hooks/remote';
import { useSession } from '../../hooks/session';
import type { Rows } from '../../lib/indexer';
import { takenAlarm } from '../../lib/alarms';
import type { Forced } from '../../lib/forced';
import { abs } from '../../lib/units';
import type { AccountInfo } from '../../wasm/ballast_wasm';
import { Choice } from '../Choice';
import { Download } from '../Download';
import { ForcedTable } from '../why/ForcedTable';
import { COLUMNS, type Column, type List } from './columns';

const LISTS: readonly (readonly [List, string])[] = [
  ['fills', 'Fills'],
  ['realised', 'Profit'],
  ['orders', 'Orders'],
  ['funding', 'Funding'],
  ['transfers', 'Transfers'],
  ['liquidations', 'Liquidations'],
  ['deleveragings', 'Deleveragings'],
];
const PAGE = 100;

export function History({ account }: { account: AccountInfo }) {
  const indexer = useIndexer();
  const [list, setList] = useState<List>('fills');
  const path = `/accounts/${account.address}/${list}`;
  return (
    <section aria-label="History" className="rounded border border-line bg-surface">
      <div className="flex flex-wrap items-center gap-3 border-b border-line px-3 py-2">
        <h2 className="font-medium">History</h2>
        {indexer && (
          <>
            <Choice label="What" options={LISTS} value={list} onChange={setList} />
            <span className="ml-auto"><Download key={path} indexer={indexer} path={path} name={`${list}.csv`} /></span>
          </>
        )}
      </div>
      {indexer ? <Indexed key={path} account={account} list={list} path={path} /> : <FromNode account={account} />}
    </section>
  );
}

/** What of a list has been read, newest first and without holes. */
export interface Pages<T> {
  rows: readonly T[];
  /** Whether there is nothing older. */
  ended: boolean;
}

/**
 * The newest page with the older rows that were read before, where it reaches them. Where it does not, as many rows have come
 * (or others have taken their place) that what lies between is not known: then the older ones have to be read again.
 */
export function joined<T extends { id: string }>(newest: readonly T[], known: Pages<T>): Pages<T> {
  if (newest.length < PAGE) return { rows: newest, ended: true };
  const meets = known.rows.findIndex(({ id }) => id === newest.at(-1)!.id);
  if (meets < 0) return { rows: newest, ended: false };
  return { rows: [...newest, ...known.rows.slice(meets + 1)], ended: known.ended };
}

function Indexed<L extends List>({ account, list, path }: { account: AccountInfo; list: L; path: string }) {
  const indexer = useIndexer();
  const markets = useMarkets();
  const [known, setKnown] = useState<Pages<Rows[L]>>({ rows: [], ended: false });
  const { value, failure, again } = useRemote(path, () => indexer!.list<Rows[L]>(path, { limit: PAGE }));
  // The indexer is a little behind the node: it says itself when it has something new.
  useNews(indexer, { subscribe: 'account', account: account.address }, again);
  const columns: readonly Column<Rows[L]>[] = COLUMNS[list];
  // While the newest are asked for anew, those that are known stay.
  const { rows, ended } = useMemo(() => (value ? joined(value, known) : known), [value, known]);
  const more = async (): Promise<void> => {
    const last = rows.at(-1);
    if (!last || !indexer) return;
    const next = await indexer.list<Rows[L]>(path, { limit: PAGE, before: last.id });
    setKnown({ rows: [...rows, ...next], ended: next.length < PAGE });
  };
  if (failure) return <><p className="p-3 text-warn">The indexer does not answer: {failure}. What the node remembers:</p><FromNode account={account} /></>;
  if (!value && rows.length === 0) return <p className="p-3 text-muted">Loading.</p>;
  if (rows.length === 0) return <p className="p-3 text-muted">Nothing yet.</p>;
  return (
    <div className="max-h-96 overflow-auto" tabIndex={0} role="region" aria-label="Entries, newest first">
      <table className="grid-table" data-testid="history">
        <thead>
          <tr>
            {columns.map(({ name, right }) => <th key={name} scope="col" className={right ? 'right' : ''}>{name}</th>)}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => {
            const market = markets.find(({ address }) => 'market' in row && address === row.market);
            return (
              <tr key={row.id}>
                {columns.map(({ name, right, cell }) => <td key={name} className={right ? 'num right' : ''}>{cell(row, market)}</td>)}
              </tr>
            );
          })}
        </tbody>
      </table>
      {rows.length > 0 && !ended && <p className="p-2"><button type="button" className="plain" onClick={() => void more()}>Older</button></p>}
    </div>
  );
}

/** The forced reductions of an account that the node remembers, with what deleveragings of others took of it. */
export function FromNode({ account }: { account: AccountInfo }) {
  const { chain } = useSession();
  const markets = useMarkets();
  useTopic('forced');
  const past = useRemote(account.address, async () => chain.forced?.load([account.address]));
  const forced = (chain.forced?.rows() ?? []).filter((row) => row.account === account.address);
  const booked = (chain.forced?.bookedOf(account.address) ?? []).map((row): Forced => ({ ...row, kind: 'booked', quote: abs(row.cash), insuranceDrawn: 0n }));
  const rows = [...forced, ...booked].sort((a, b) => b.time - a.time);
  const waiting = account.positions.filter(({ deleveraged }) => deleveraged > 0n);
  return (
    <>
      <div className="overflow-x-auto" tabIndex={0} role="region" aria-label="Forced reductions of this account">
        <ForcedTable rows={rows} markets={markets} empty="This account has not been reduced by force, as far as the node remembers." />
      </div>
      {waiting.map(({ market, deleveraged, deleveragedCash }) => {
        const info = markets[market];
        return info && <p key={market} className="px-3 py-2 text-warn">{takenAlarm(deleveraged, deleveragedCash, account.number, info).detail} It is booked when the account is next touched.</p>;
      })}
      <p className="border-t border-line px-3 py-2 text-muted">
        Orders, fills, profit, funding and transfers need an indexer (indexer=… in the page’s address).
        {past.failure && ` The node’s past could not be read: ${past.failure}.`}
      </p>
    </>
  );
}
