// Liquidations, takeovers and deleveragings as the program recorded them, and what deleveragings took of accounts on the other side:
// since the page was opened, and what the node remembers of before.
import { worthFetching, type ForcedInfo, type ReceiptInfo } from '../wasm/ballast_wasm';
import type { Rpc } from './rpc';
import { again, type Socket } from './socket';
import type { Topics } from './topics';
import { Fetcher, signaturesOf, signaturesSince, transactions, type PastTransaction } from './transactions';

/** A forced reduction and where it happened. */
export interface Forced extends ForcedInfo {
  signature: string;
  /** Unix seconds. */
  time: number;
}

/** What a deleveraging took of an account, and where it was booked. */
export interface Booked extends ReceiptInfo {
  signature: string;
  /** Unix seconds. */
  time: number;
}

const MOST = 500;
/** Transactions of the past that are looked at, per address. */
const HISTORY = 200;
/** How much older than what was last heard a transaction may be that was missed: blocks' times and the network's are not exact. */
const SLACK_S = 60;
/** When the past is asked for that a lost connection kept from the page, and again when there is no answer. */
const CATCH_UP_MS = 1_000;
const CATCH_UP_TRIES = 10;

/** Picks what concerns the page's exchange out of a transaction. */
export type ReadForced = (transaction: PastTransaction) => { forced: readonly ForcedInfo[]; booked: readonly ReceiptInfo[] };

/** Hears of what happens while the page is open. */
export interface ForcedListener {
  forced: (row: Forced) => void;
  booked: (row: Booked) => void;
}

/** The node's forced reductions. Changes are told under the topic `forced`. */
export class ForcedFeed {
  private list: Forced[] = [];
  private receipts: Booked[] = [];
  private readonly fetcher: Fetcher;
  private readonly seen = new Set<string>();
  /** Of these, what was told: the list may have come upon a transaction first. */
  private readonly told = new Set<string>();
  private readonly openedAt: number;
  private readonly loaded = new Set<string>();
  private readonly stops: (() => void)[];
  /** When the connection was last known to live, in Unix seconds. */
  private heardAt: number;
  /** Since when what happened may have been missed. */
  private missedSince: number | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private closed = false;

  constructor(
    private readonly rpc: Rpc,
    socket: Pick<Socket, 'subscribe'>,
    markets: readonly string[],
    private readonly topics: Topics,
    private readonly now: () => number,
    private readonly read: ReadForced,
    /** The accounts whose receipts are worth fetching, at any time. */
    private readonly accounts: () => readonly string[],
    private readonly listener: ForcedListener,
  ) {
    this.fetcher = new Fetcher(rpc, (found) => this.take(found, true));
    this.openedAt = this.heardAt = now();
    // Not the program's: anybody can found exchanges of it.
    const take = (result: unknown): void => {
      const { value } = result as { value: { signature: string; err: unknown; logs: string[] | null } };
      this.heardAt = now();
      if (value.err === null && value.logs && !this.told.has(value.signature) && worthFetching(value.logs, true, [...accounts()])) this.fetcher.add(value.signature);
    };
    this.stops = markets.map((market) => socket.subscribe('logsSubscribe', [{ mentions: [market] }, { commitment: 'confirmed' }], take, again(() => this.returned())));
  }

  /** What is known, newest first. */
  rows(): readonly Forced[] {
    return this.list;
  }

  /** What is known to have been taken of an account by deleveragings, newest first. */
  bookedOf(account: string): readonly Booked[] {
    return this.receipts.filter((row) => row.account === account);
  }

  /** Loads what the node remembers of the transactions that named any of these addresses. Once each. */
  async load(addresses: readonly string[]): Promise<void> {
    for (const address of addresses) {
      if (this.loaded.has(address)) continue;
      this.loaded.add(address);
      try {
        const wanted = (await signaturesOf(this.rpc, address, HISTORY)).filter((signature) => !this.seen.has(signature));
        for await (const found of transactions(this.rpc, wanted)) this.take(found);
      } catch (error) {
        this.loaded.delete(address);
        throw error;
      }
    }
  }

  close(): void {
    this.closed = true;
    this.stops.forEach((stop) => stop());
    clearTimeout(this.timer);
    this.fetcher.close();
  }

  /** The connection is back. What the node remembers may be more than was loaded, and of it the owner has to hear. */
  private returned(): void {
    this.missedSince ??= this.heardAt;
    this.loaded.clear();
    this.timer ??= setTimeout(() => void this.catchUp(), CATCH_UP_MS);
  }

  /** Fetches, as what is new, what happened to the accounts that are shown while nothing was heard. */
  private async catchUp(tries = CATCH_UP_TRIES): Promise<void> {
    this.timer = undefined;
    const since = this.missedSince ?? this.heardAt;
    this.missedSince = undefined;
    try {
      const missed = await signaturesSince(this.rpc, this.accounts(), HISTORY, Math.max(since - SLACK_S, this.openedAt));
      missed.filter((signature) => !this.told.has(signature)).forEach((signature) => this.fetcher.add(signature));
    } catch (error) {
      console.warn('what happened during the loss could not be asked for', error);
      this.missedSince = since;
      if (tries > 1 && !this.closed) this.timer = setTimeout(() => void this.catchUp(tries - 1), CATCH_UP_MS);
    }
  }

  private take(transaction: PastTransaction, live = false): void {
    const { signature } = transaction;
    const known = this.seen.has(signature);
    if (live ? this.told.has(signature) : known) return;
    this.seen.add(signature);
    if (live) this.told.add(signature);
    const time = transaction.time || this.now();
    const found = this.read(transaction);
    const placed = <T>(info: T) => ({ ...info, signature, time });
    const [forced, booked] = [found.forced.map(placed), found.booked.map(placed)];
    if (!known && forced.length + booked.length > 0) {
      this.list = newestFirst(forced, this.list);
      this.receipts = newestFirst(booked, this.receipts);
      this.topics.touch('forced');
    }
    if (!live) return;
    forced.forEach((row) => this.listener.forced(row));
    booked.forEach((row) => this.listener.booked(row));
  }
}

/** Old rows with those of a transaction, of which the last is the latest. */
function newestFirst<T extends { time: number }>(fresh: readonly T[], known: readonly T[]): T[] {
  return [...[...fresh].reverse(), ...known].sort((a, b) => b.time - a.time).slice(0, MOST);
}
