// What an owner must hear at once: one of the accounts shown was liquidated, taken over, bankrupt, or reduced for somebody else's
// bankruptcy. The last is booked only when the account is next touched, so it is told when the index takes it, and its receipt only
// where that was not heard.
import type { AccountInfo, MarketInfo } from '../wasm/ballast_wasm';
import type { Booked, Forced } from './forced';
import { abs, averagePrice, price, size, usd } from './units';

/** Something to hear. */
export interface Alarm {
  title: string;
  detail: string;
  /** The event that explains it, where there is one. */
  why?: { signature: string; event: number };
}

const HAPPENED: Record<string, [string, string]> = {
  liquidation: ['was liquidated', 'closed on the book'],
  takeover: ['was liquidated', 'taken over by another account'],
  deleveraging: ['was bankrupt', 'closed against the other side'],
};

/** A forced reduction of an account, in words. */
export function forcedAlarm(row: Forced, number: number, market: MarketInfo): Alarm {
  const [what, how] = HAPPENED[row.kind] ?? [row.kind, ''];
  const at = averagePrice(row.quote, row.lots);
  return {
    title: `${market.symbol}: account ${number + 1} ${what}`,
    detail: `${size(row.lots, market)} ${market.symbol} of its ${row.long ? 'long' : 'short'} were ${how}${at === null ? '' : ` at ${price(at, market)}`}.`,
    why: { signature: row.signature, event: row.index },
  };
}

/** What was taken of an account for another's bankruptcy, in words. */
export function takenAlarm(lots: bigint, cash: bigint, number: number, market: MarketInfo): Alarm {
  const at = averagePrice(cash, lots);
  const money = cash === 0n ? '' : ` ${cash > 0n ? 'It received' : 'It paid'} ${usd(abs(cash))}${at === null ? '' : `, ${price(at, market)} each`}.`;
  return {
    title: `${market.symbol}: account ${number + 1} was reduced for another’s bankruptcy`,
    detail: `${size(lots, market)} ${market.symbol} were taken of its position.${money}`,
  };
}

/** An account and its ranking index arrive one after the other: what follows from both counts once it has lasted so long. */
const LASTS_MS = 1_500;

/** Tells each reduction of the accounts that are shown once. */
export class Alarms {
  /** By account and market, what waited to be booked when it was last looked at. */
  private readonly waiting = new Map<string, { lots: bigint; cash: bigint }>();
  /** By account and market, since when more than that has been waiting. */
  private readonly since = new Map<string, number>();
  /** By account and market, the lots that were told and whose receipt is still to come. */
  private readonly told = new Map<string, bigint>();

  constructor(
    private readonly accounts: () => readonly AccountInfo[],
    private readonly markets: () => readonly MarketInfo[],
    private readonly tell: (alarm: Alarm) => void,
    private readonly now: () => number = Date.now,
  ) {}

  /** The accounts may have changed. What waited when they were first seen is old. */
  look(): void {
    for (const { address, number, positions } of this.accounts()) {
      for (const { market, deleveraged: lots, deleveragedCash: cash } of positions) {
        const key = `${address}/${market}`;
        const before = this.waiting.get(key);
        const info = this.markets()[market];
        const more = before !== undefined && info !== undefined && lots > before.lots;
        if (more) {
          const since = this.since.get(key) ?? this.now();
          this.since.set(key, since);
          if (this.now() - since < LASTS_MS) continue;
        }
        this.since.delete(key);
        this.waiting.set(key, { lots, cash });
        if (!more) continue;
        this.told.set(key, (this.told.get(key) ?? 0n) + lots - before.lots);
        this.tell(takenAlarm(lots - before.lots, cash - before.cash, number, info));
      }
    }
  }

  /** A forced reduction has just happened. */
  forced(row: Forced): void {
    const [number, market] = this.whose(row);
    if (number !== undefined && market) this.tell(forcedAlarm(row, number, market));
  }

  /** What was taken has just been booked. */
  booked(row: Booked): void {
    const [number, market] = this.whose(row);
    if (number === undefined || !market) return;
    const key = `${row.account}/${row.market}`;
    const told = this.told.get(key) ?? 0n;
    this.told.set(key, told > row.lots ? told - row.lots : 0n);
    if (row.lots > told) this.tell(takenAlarm(row.lots, row.cash, number, market));
  }

  private whose(row: { account: string; market: number }): [number | undefined, MarketInfo | undefined] {
    return [this.accounts().find(({ address }) => address === row.account)?.number, this.markets()[row.market]];
  }
}
