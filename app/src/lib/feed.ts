// Trades and prices of a market. The page reads them through this interface; the network's own transactions are one source, and
// an indexer, which remembers more than a node does, can be another.
import { worthFetching, type PageEvent } from '../wasm/ballast_wasm';
import type { Rpc } from './rpc';
import { again, type Socket } from './socket';
import type { Topics } from './topics';
import { Fetcher, signaturesOf, transactions, type PastTransaction } from './transactions';

/** A trade as it is listed. */
export interface Trade {
  /** Unique among the market's trades. */
  id: string;
  price: bigint;
  lots: bigint;
  /** Whether the taker bought. */
  bought: boolean;
  /** `taker`, `liquidation` or `bankruptcy`. */
  cause: string;
  /** Unix seconds. */
  time: number;
}

/** A market's price at a moment. */
export interface Tick {
  time: number;
  mark: bigint;
}

/** One bar. Prices in atoms per lot, volume in lots. */
export interface Candle {
  time: number;
  open: bigint;
  high: bigint;
  low: bigint;
  close: bigint;
  volume: bigint;
}

/** Where trades and prices come from. Changes are told under the topic `feed:<market>`. */
export interface MarketFeed {
  /** The latest trades, newest first. */
  trades(market: number): readonly Trade[];
  /** Bars of the mark with the volume traded, oldest first; `interval` in seconds. */
  candles(market: number, interval: number): Candle[];
  /** Loads what there is of the past. */
  load(market: number, address: string): Promise<void>;
  close(): void;
}

const TRADES = 200;
const TICKS = 20_000;
/** Transactions of the past that are looked at. */
const HISTORY = 400;
/** Of these, how many are read before the page may draw. */
const AT_ONCE = 5;

/** Picks what the page shows out of a transaction: the events of its exchange. */
export type ReadEvents = (transaction: PastTransaction) => readonly PageEvent[];

/** The network's own transactions: everything since the page was opened, and what the node still remembers of before. */
export class ChainFeed implements MarketFeed {
  private readonly tradesOf = new Map<number, Trade[]>();
  private readonly ticksOf = new Map<number, Tick[]>();
  private readonly loaded = new Map<number, Promise<void>>();
  private readonly seen = new Set<string>();
  private readonly stops = new Map<number, () => void>();
  private readonly fetchers = new Map<number, Fetcher>();

  constructor(
    private readonly rpc: Rpc,
    private readonly socket: Pick<Socket, 'subscribe'>,
    private readonly topics: Topics,
    private readonly now: () => number,
    private readonly read: ReadEvents,
  ) {}

  trades(market: number): readonly Trade[] {
    return this.tradesOf.get(market) ?? [];
  }

  candles(market: number, interval: number): Candle[] {
    return candlesOf(this.ticksOf.get(market) ?? [], this.tradesOf.get(market) ?? [], interval);
  }

  load(market: number, address: string): Promise<void> {
    const known = this.loaded.get(market);
    if (known) return known;
    this.listen(market, address);
    const loading = this.loadPast(market, address).catch((error: unknown) => {
      this.loaded.delete(market);
      console.warn('the past could not be loaded', error);
    });
    this.loaded.set(market, loading);
    return loading;
  }

  close(): void {
    this.stops.forEach((stop) => stop());
    this.fetchers.forEach((fetcher) => fetcher.close());
  }

  /** Listens to what names the market: anybody can found exchanges of the program, whose markets have the same indexes. */
  private listen(market: number, address: string): void {
    if (this.stops.has(market)) return;
    const fetcher = new Fetcher(this.rpc, (found) => this.take(market, found));
    this.fetchers.set(market, fetcher);
    const hear = (result: unknown): void => {
      const { value } = result as { value: { signature: string; err: unknown; logs: string[] | null } };
      const fresh = value.err === null && !this.seen.has(`${market}/${value.signature}`);
      if (fresh && value.logs && worthFetching(value.logs, false, [])) fetcher.add(value.signature);
    };
    const reload = (): void => {
      this.loaded.delete(market);
      void this.load(market, address);
    };
    const stop = this.socket.subscribe('logsSubscribe', [{ mentions: [address] }, { commitment: 'confirmed' }], hear, again(reload));
    this.stops.set(market, stop);
  }

  private async loadPast(market: number, address: string): Promise<void> {
    const known = await signaturesOf(this.rpc, address, HISTORY);
    const wanted = known.filter((signature) => !this.seen.has(`${market}/${signature}`));
    let read = 0;
    for await (const found of transactions(this.rpc, wanted)) {
      this.take(market, found);
      // The past may take its time; frames may not.
      if (++read % AT_ONCE === 0) await new Promise((resolve) => setTimeout(resolve));
    }
  }

  /** What of a transaction is about one market. One that names several comes once for each. */
  private take(market: number, transaction: PastTransaction): void {
    const { signature } = transaction;
    const key = `${market}/${signature}`;
    if (this.seen.has(key)) return;
    this.seen.add(key);
    const time = transaction.time || this.now();
    this.read(transaction).forEach((event, index) => {
      if (event.market !== market) return;
      if (event.kind === 'traded') this.addTrades(event, `${signature}-${index}`, time);
      else if (event.kind === 'mark') this.addTick(event.market, { time: Number(event.time), mark: event.mark });
      else return;
      this.topics.touch(`feed:${event.market}`);
    });
  }

  private addTrades(event: Extract<PageEvent, { kind: 'traded' }>, id: string, time: number): void {
    const list = this.tradesOf.get(event.market) ?? [];
    // The last fill is the latest.
    const fresh = event.fills
      .map((fill, at) => ({ ...fill, id: `${id}-${at}`, bought: event.bought, cause: event.cause, time }))
      .reverse();
    insertSorted(list, fresh, (trade) => -trade.time);
    list.length = Math.min(list.length, TRADES);
    this.tradesOf.set(event.market, list);
  }

  private addTick(market: number, tick: Tick): void {
    const list = this.ticksOf.get(market) ?? [];
    insertSorted(list, [tick], (other) => other.time);
    if (list.length > TICKS) list.splice(0, list.length - TICKS);
    this.ticksOf.set(market, list);
  }
}

/** Inserts before the first entry whose key is not smaller (trades: newest first) or, for ticks, in ascending order. */
function insertSorted<T>(list: T[], fresh: T[], key: (entry: T) => number): void {
  for (const entry of [...fresh].reverse()) {
    let at = list.length;
    while (at > 0 && key(list[at - 1]!) >= key(entry)) at--;
    list.splice(at, 0, entry);
  }
}

/** Bars of a market's marks, with the volume of its trades. `ticks` in ascending order of time. */
export function candlesOf(ticks: readonly Tick[], trades: readonly Trade[], interval: number): Candle[] {
  const candles: Candle[] = [];
  const byTime = new Map<number, Candle>();
  for (const { time, mark } of ticks) {
    const start = Math.floor(time / interval) * interval;
    const last = byTime.get(start);
    if (last) {
      if (mark > last.high) last.high = mark;
      if (mark < last.low) last.low = mark;
      last.close = mark;
      continue;
    }
    // A bar begins where the one before ended, so that the line has no gaps.
    const open = candles.at(-1)?.close ?? mark;
    const candle = {
      time: start,
      open,
      high: mark > open ? mark : open,
      low: mark < open ? mark : open,
      close: mark,
      volume: 0n,
    };
    candles.push(candle);
    byTime.set(start, candle);
  }
  for (const trade of trades) {
    const candle = byTime.get(Math.floor(trade.time / interval) * interval);
    if (candle) candle.volume += trade.lots;
  }
  return candles;
}
