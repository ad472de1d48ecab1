// What happened to an account: orders, fills, funding, transfers, liquidations, deleveragings, from an indexer; without one,
// the forced reductions that the node remembers.
import { useMemo, useState, type ReactNode } from 'react';

import { useMarkets, useTopic } from '../hooks/chain';
import { useIndexer, useRemote } from '../hooks/remote';
import { whyHref } from '../hooks/route';
import { useSession } from '../hooks/session';
import type { Item } from '../lib/indexer';
import { averagePrice, price, shortAddress, size, usd } from '../lib/units';
import type { AccountInfo, MarketInfo } from '../wasm/ballast_wasm';
import { Choice } from './Choice';
import { ForcedTable, moment } from './why/ForcedTable';

type List = 'orders' | 'fills' | 'funding' | 'transfers' | 'liquidations' | 'deleveragings';

const LISTS: readonly (readonly [List, string])[] = [
  ['fills', 'Fills'],
  ['orders', 'Orders'],
  ['funding', 'Funding'],
  ['transfers', 'Transfers'],
  ['liquidations', 'Liquidations'],
  ['deleveragings', 'Deleveragings'],
];
const PAGE = 100;
const CSV = 1_000;

/** A row as the indexer gives it: which fields it has depends on its kind. */
interface Row extends Item {
  kind: string;
  market?: string | null;
  [field: string]: unknown;
}

const WORDS: Record<string, string> = {
  placed: 'placed',
  reduced: 'made smaller',
  cancelled: 'cancelled',
  evicted: 'pushed out of a full book',
  removed: 'removed',
  trigger_placed: 'trigger placed',
  trigger_edited: 'trigger edited',
  trigger_ratcheted: 'trigger followed the price',
  trigger_cancelled: 'trigger cancelled',
  trigger_expired: 'trigger expired',
  trigger_void: 'trigger had nothing to protect',
  trigger_executed: 'trigger executed',
  deposit: 'deposit',
  withdrawal: 'withdrawal',
  transfer: 'transfer',
  referral: 'referral earnings',
  liquidation: 'liquidated',
  deleveraging: 'bankrupt, closed against others',
  deleveraged: 'reduced for another’s bankruptcy',
};

interface Column {
  name: string;
  right?: boolean;
  cell: (row: Row, market: MarketInfo | undefined) => ReactNode;
}

function text(row: Row, field: string): string | null {
  const value = row[field];
  return typeof value === 'string' ? value : null;
}

function amount(row: Row, field: string): bigint | null {
  const value = text(row, field);
  return value === null ? null : BigInt(value);
}

function sizeOf(field: string): Column['cell'] {
  return (row, market) => {
    const lots = amount(row, field);
    return lots === null || !market ? '–' : size(lots, market);
  };
}

function priceOf(field: string): Column['cell'] {
  return (row, market) => {
    const value = amount(row, field);
    return value === null || !market ? '–' : price(value, market);
  };
}

function moneyOf(field: string, sign = false): Column['cell'] {
  return (row) => {
    const value = amount(row, field);
    if (value === null) return '–';
    return <span className={sign ? (value < 0n ? 'text-down' : 'text-up') : ''}>{usd(value, 2, sign)}</span>;
  };
}

const TIME: Column = { name: 'Time', cell: ({ time }) => <span className="text-muted">{moment(time)}</span> };
const MARKET: Column = { name: 'Market', cell: (_, market) => market?.symbol ?? '–' };
const WHAT: Column = { name: 'What', cell: ({ kind }) => WORDS[kind] ?? kind };
const SIDE: Column = {
  name: 'Side',
  cell: (row) => {
    const side = text(row, 'side');
    return side === null ? '–' : <span className={side === 'long' ? 'text-up' : 'text-down'}>{side === 'long' ? 'buy' : 'sell'}</span>;
  },
};
const WHY: Column = {
  name: 'Explanation',
  cell: (row) => {
    if (row.kind !== 'deleveraged') return <Why href={whyHref(row.signature, Number(row.id.split('-')[2] ?? 0))} row={row} />;
    // What was taken was taken by one or more of these.
    const ids = (row.deleveragings as string[] | undefined) ?? [];
    return ids.slice(-3).map((id) => <Why key={id} href={`#/why/${id}`} row={row} />);
  },
};

function Why({ href, row }: { href: string; row: Row }) {
  return <a className="link mr-2" href={href} aria-label={`Why: ${WORDS[row.kind] ?? row.kind}, ${moment(row.time)}`}>Why?</a>;
}

const COLUMNS: Record<List, readonly Column[]> = {
  fills: [
    TIME,
    MARKET,
    SIDE,
    { name: 'Size', right: true, cell: sizeOf('lots') },
    { name: 'Price', right: true, cell: priceOf('price') },
    { name: 'As', cell: (row) => (row.maker === true ? 'maker' : 'taker') },
    { name: 'Cause', cell: (row) => (text(row, 'cause') ?? '').replaceAll('_', ' ') },
  ],
  orders: [
    TIME,
    MARKET,
    WHAT,
    SIDE,
    { name: 'Size', right: true, cell: sizeOf('lots') },
    { name: 'Price', right: true, cell: priceOf('price') },
  ],
  funding: [TIME, MARKET, { name: 'Received', right: true, cell: moneyOf('amount', true) }],
  transfers: [
    TIME,
    WHAT,
    { name: 'Received', right: true, cell: moneyOf('amount', true) },
    { name: 'Settled money afterwards', right: true, cell: moneyOf('collateral') },
    { name: 'Other account', cell: (row) => <span className="font-mono text-2xs">{shortAddress(text(row, 'other') ?? '–')}</span> },
  ],
  liquidations: [
    TIME,
    MARKET,
    { name: 'Size closed', right: true, cell: sizeOf('lots') },
    {
      name: 'Price',
      right: true,
      cell: (row, market) => {
        const at = averagePrice(amount(row, 'quote') ?? 0n, amount(row, 'lots') ?? 0n);
        return at === null || !market ? '–' : price(at, market);
      },
    },
    { name: 'Mark', right: true, cell: priceOf('mark') },
    { name: 'Equity before', right: true, cell: moneyOf('equity') },
    { name: 'Needed', right: true, cell: moneyOf('maintenance') },
    WHY,
  ],
  deleveragings: [
    TIME,
    MARKET,
    WHAT,
    { name: 'Size', right: true, cell: sizeOf('lots') },
    { name: 'Cash for it', right: true, cell: moneyOf('cash', true) },
    WHY,
  ],
};

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
            <a className="link ml-auto" href={indexer.csv(path, { limit: CSV })} download={`${list}.csv`}>CSV</a>
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

function Indexed({ account, list, path }: { account: AccountInfo; list: List; path: string }) {
  const indexer = useIndexer();
  const markets = useMarkets();
  const [known, setKnown] = useState<Pages<Row>>({ rows: [], ended: false });
  // An indexer is a little behind the node; what the account holds now tells when it is worth asking again.
  const state = `${account.settled}/${account.unsettled}/${account.positions.map(({ lots, orders }) => `${lots}:${orders}`).join()}`;
  const { value, failure } = useRemote(`${path} ${state}`, () => indexer!.list<Row>(path, { limit: PAGE }));
  const columns = COLUMNS[list];
  // While the newest are asked for anew, those that are known stay.
  const { rows, ended } = useMemo(() => (value ? joined(value, known) : known), [value, known]);
  const more = async (): Promise<void> => {
    const last = rows.at(-1);
    if (!last || !indexer) return;
    const next = await indexer.list<Row>(path, { limit: PAGE, before: last.id });
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
            const market = markets.find(({ address }) => address === row.market);
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

function FromNode({ account }: { account: AccountInfo }) {
  const { chain } = useSession();
  const markets = useMarkets();
  useTopic('forced');
  const past = useRemote(account.address, async () => chain.forced?.load([account.address]) ?? Promise.resolve());
  const rows = (chain.forced?.rows() ?? []).filter((row) => row.account === account.address);
  return (
    <>
      <div className="overflow-x-auto" tabIndex={0} role="region" aria-label="Forced reductions of this account">
        <ForcedTable rows={rows} markets={markets} empty="This account has not been reduced by force, as far as the node remembers." />
      </div>
      <p className="border-t border-line px-3 py-2 text-muted">
        Orders, fills, funding and transfers need an indexer (indexer=… in the page’s address). Reductions for another’s bankruptcy are listed under <a className="link" href="#/why">Why</a>.
        {past.failure && ` The node’s past could not be read: ${past.failure}.`}
      </p>
    </>
  );
}
