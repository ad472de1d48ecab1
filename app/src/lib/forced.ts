// Liquidations, takeovers and deleveragings as the program recorded them, and what deleveragings took of accounts on the other side:
// since the page was opened, and what the node remembers of before.
import { worthFetching, type ForcedInfo, type ReceiptInfo } from '../wasm/ballast_wasm';
import type { Rpc } from './rpc';
import type { Socket } from './socket';
import type { Topics } from './topics';
import { Fetcher, signaturesOf, transactions, type PastTransaction } from './transactions';

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
  private readonly loaded = new Set<string>();
  private readonly stops: (() => void)[];

  constructor(
    private readonly rpc: Rpc,
    socket: Pick<Socket, 'subscribe'>,
    markets: readonly string[],
    private readonly topics: Topics,
    private readonly now: () => number,
    private readonly read: ReadForced,
    /** The accounts whose receipts are worth fetching, at any time. */
    accounts: () => readonly string[],
    private readonly listener: ForcedListener,
  ) {
    this.fetcher = new Fetcher(rpc, (found) => this.take(found, true));
    // Not the program's: anybody can found exchanges of it.
    const take = (result: unknown): void => {
      const { value } = result as { value: { signature: string; err: unknown; logs: string[] | null } };
      if (value.err === null && value.logs && !this.seen.has(value.signature) && worthFetching(value.logs, true, [...accounts()])) this.fetcher.add(value.signature);
    };
    this.stops = markets.map((market) => socket.subscribe('logsSubscribe', [{ mentions: [market] }, { commitment: 'confirmed' }], take));
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
    this.stops.forEach((stop) => stop());
    this.fetcher.close();
  }

  private take(transaction: PastTransaction, live = false): void {
    const { signature } = transaction;
    if (this.seen.has(signature)) return;
    this.seen.add(signature);
    const time = transaction.time || this.now();
    const found = this.read(transaction);
    const placed = <T>(info: T) => ({ ...info, signature, time });
    const [forced, booked] = [found.forced.map(placed), found.booked.map(placed)];
    if (forced.length + booked.length === 0) return;
    this.list = newestFirst(forced, this.list);
    this.receipts = newestFirst(booked, this.receipts);
    this.topics.touch('forced');
    if (!live) return;
    forced.forEach((row) => this.listener.forced(row));
    booked.forEach((row) => this.listener.booked(row));
  }
}

/** Old rows with those of a transaction, of which the last is the latest. */
function newestFirst<T extends { time: number }>(fresh: readonly T[], known: readonly T[]): T[] {
  return [...[...fresh].reverse(), ...known].sort((a, b) => b.time - a.time).slice(0, MOST);
}
