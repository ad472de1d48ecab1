// What each list of an account's history shows of its rows, which are as the indexer's description says.
import type { ReactNode } from 'react';

import { whyHref } from '../../hooks/route';
import { eventOf, type Rows } from '../../lib/indexer';
import { averagePrice, price, shortAddress, size, usd } from '../../lib/units';
import type { MarketInfo } from '../../wasm/ballast_wasm';
import { moment } from '../why/ForcedTable';

/** The lists. */
export type List = keyof Rows;

/** A column of a list. */
export interface Column<R> {
  name: string;
  right?: boolean;
  cell: (row: R, market: MarketInfo | undefined) => ReactNode;
}

type Kind = Rows[List]['kind'];

const WORDS: Partial<Record<Kind, string>> = {
  placed: 'placed',
  filled: 'filled',
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

/** Why an order left or shrank without a trade, where that is not plain from what happened. */
const REASONS: Partial<Record<NonNullable<Extract<Rows['orders'], { order_id: string }>['reason']>, string>> = {
  liquidation: 'in a liquidation',
  unfunded: 'no longer covered by margin',
  pair: 'the other of its pair executed',
  nothing_to_reduce: 'nothing left to reduce',
  expired: 'expired',
  self_trade: 'met an order of the same owner',
  out_of_band: 'too far from the mark',
  beyond_limit: 'its peg went beyond its limit',
};

/** What happened, in words. */
export function wordsOf(row: Rows[List]): string {
  const words = WORDS[row.kind] ?? row.kind;
  const reason = 'reason' in row && row.reason ? REASONS[row.reason] : undefined;
  return reason ? `${words}: ${reason}` : words;
}

/** An integer of the indexer's, which writes them as text. */
function integer(text: string | null): bigint | null {
  return text === null ? null : BigInt(text);
}

function sized(lots: string | null, market: MarketInfo | undefined): ReactNode {
  const value = integer(lots);
  return value === null || !market ? '–' : size(value, market);
}

function priced(value: bigint | null, market: MarketInfo | undefined): ReactNode {
  return value === null || !market ? '–' : price(value, market);
}

function money(text: string, sign = false): ReactNode {
  const value = BigInt(text);
  return <span className={sign ? (value < 0n ? 'text-down' : 'text-up') : ''}>{usd(value, 2, sign)}</span>;
}

/** Why a position changed. */
const CAUSES: Record<Rows['realised']['cause'], string> = {
  taker: 'own order, taken',
  maker: 'resting orders filled',
  liquidation: 'liquidated',
  takeover: 'taken over',
  takeover_received: 'taken over from another',
  bankruptcy: 'bankrupt, closed against others',
  deleveraged: 'reduced for another’s bankruptcy',
  trigger: 'trigger',
  ladder: 'ladder',
};

function sideWords(side: 'long' | 'short' | null): ReactNode {
  return side === null ? '–' : <span className={side === 'long' ? 'text-up' : 'text-down'}>{side === 'long' ? 'buy' : 'sell'}</span>;
}

function Why({ href, row }: { href: string; row: Rows['liquidations' | 'deleveragings'] }) {
  return <a className="link mr-2" href={href} aria-label={`Why: ${wordsOf(row)}, ${moment(row.time)}`}>Why?</a>;
}

function explanation(row: Rows['liquidations' | 'deleveragings']): ReactNode {
  if (row.kind !== 'deleveraged') return <Why href={whyHref(row.signature, eventOf(row.id))} row={row} />;
  // What was taken was taken by one or more of these.
  return row.deleveragings.slice(-3).map((id) => <Why key={id} href={`#/why/${id}`} row={row} />);
}

const TIME: Column<Rows[List]> = { name: 'Time', cell: ({ time }) => <span className="text-muted">{moment(time)}</span> };
const MARKET: Column<unknown> = { name: 'Market', cell: (_, market) => market?.symbol ?? '–' };
const WHAT: Column<Rows[List]> = { name: 'What', cell: wordsOf };

/** The columns of each list. */
export const COLUMNS: { [L in List]: readonly Column<Rows[L]>[] } = {
  fills: [
    TIME,
    MARKET,
    { name: 'Side', cell: ({ side }) => sideWords(side) },
    { name: 'Size', right: true, cell: ({ lots }, market) => sized(lots, market) },
    { name: 'Price', right: true, cell: (row, market) => priced(integer(row.price), market) },
    { name: 'As', cell: ({ maker }) => (maker ? 'maker' : 'taker') },
    { name: 'Cause', cell: ({ cause }) => cause.replaceAll('_', ' ') },
  ],
  realised: [
    TIME,
    MARKET,
    { name: 'Why', cell: ({ cause }) => CAUSES[cause] },
    { name: 'Side', cell: ({ base }) => sideWords(BigInt(base) < 0n ? 'short' : 'long') },
    { name: 'Size', right: true, cell: ({ base }, market) => sized(base.replace('-', ''), market) },
    { name: 'Fee', right: true, cell: ({ fee }) => <span>{usd(BigInt(fee), 4)}</span> },
    { name: 'Realised profit', right: true, cell: ({ realised }) => (realised === null ? 'not known' : money(realised, true)) },
    { name: 'Position afterwards', right: true, cell: ({ lots }, market) => sized(lots, market) },
  ],
  orders: [
    TIME,
    MARKET,
    WHAT,
    { name: 'Side', cell: ({ side }) => sideWords(side) },
    { name: 'Size', right: true, cell: ({ lots }, market) => sized(lots, market) },
    { name: 'Price', right: true, cell: (row, market) => priced(integer(row.price), market) },
  ],
  funding: [TIME, MARKET, { name: 'Received', right: true, cell: ({ amount }) => money(amount, true) }],
  transfers: [
    TIME,
    WHAT,
    { name: 'Received', right: true, cell: ({ amount }) => money(amount, true) },
    { name: 'Settled money afterwards', right: true, cell: ({ collateral }) => money(collateral) },
    { name: 'Other account', cell: ({ other }) => <span className="font-mono text-2xs">{shortAddress(other ?? '–')}</span> },
  ],
  liquidations: [
    TIME,
    MARKET,
    { name: 'Size closed', right: true, cell: ({ lots }, market) => sized(lots, market) },
    { name: 'Price', right: true, cell: ({ quote, lots }, market) => priced(averagePrice(BigInt(quote), BigInt(lots)), market) },
    { name: 'Mark', right: true, cell: ({ mark }, market) => priced(BigInt(mark), market) },
    { name: 'Equity before', right: true, cell: ({ equity }) => money(equity) },
    { name: 'Needed', right: true, cell: ({ maintenance }) => money(maintenance) },
    { name: 'Explanation', cell: explanation },
  ],
  deleveragings: [
    TIME,
    MARKET,
    WHAT,
    { name: 'Size', right: true, cell: ({ lots }, market) => sized(lots, market) },
    { name: 'Cash for it', right: true, cell: (row) => (row.kind === 'deleveraged' ? money(row.cash, true) : '–') },
    { name: 'Explanation', cell: explanation },
  ],
};
