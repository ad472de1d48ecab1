// A market's past from an indexer, its present from the network itself, which comes first. While the indexer is down its bars are the
// network's, what is known of older trades stays, and the page says so.
import type { Candle, MarketFeed, Trade } from './feed';
import { INDEXED_INTERVALS, type IndexedCandle, type IndexedTrade, type Indexer } from './indexer';
import type { Topics } from './topics';

const TRADES = 200;
const CANDLES = 500;
/** How soon a list that could not be read is asked for again. */
const RETRY_MS = 5_000;

/** Whether an indexer answers. */
export type IndexerState = 'loading' | 'up' | 'down';

/** A trade of the indexer's, with the transaction by which the same trade is known from the network. */
interface Past {
  signature: string;
  trade: Trade;
}

interface Bars {
  byTime: Map<number, Candle>;
  /** Reads them anew. */
  load: () => Promise<void>;
}

export class IndexedFeed implements MarketFeed {
  /** Whether the indexer is heard; changes of what follows from it are told under `status`. */
  private listens = true;
  /** Whether any list has been read. */
  private read = false;
  /** The lists that could not be read when they were asked for last, and how they are read. */
  private readonly failing = new Map<string, () => Promise<void>>();
  private retry: ReturnType<typeof setTimeout> | undefined;
  private readonly addresses = new Map<number, string>();
  private readonly past = new Map<number, Past[]>();
  private readonly bars = new Map<string, Bars>();
  /** Times that the indexer took something back: an answer to what was asked before may hold it still. */
  private rollbacks = 0;

  constructor(
    private readonly indexer: Indexer,
    private readonly own: MarketFeed,
    private readonly topics: Topics,
    private readonly retryMs = RETRY_MS,
  ) {
    indexer.onRollback(() => this.forget());
    indexer.whetherListening((listens) => this.change(() => (this.listens = listens)));
  }

  /** Down when nothing is heard of the indexer, or a list cannot be read. */
  get state(): IndexerState {
    if (!this.listens || this.failing.size > 0) return 'down';
    return this.read ? 'up' : 'loading';
  }

  /** What the network has, and before that what the indexer has. */
  trades(market: number): readonly Trade[] {
    const recent = this.own.trades(market);
    const known = new Set(recent.map(({ id }) => signatureOf(id)));
    const older = (this.past.get(market) ?? []).filter(({ signature }) => !known.has(signature));
    return [...recent, ...older.map(({ trade }) => trade)].sort((a, b) => b.time - a.time).slice(0, TRADES);
  }

  /** The indexer's bars where it has any of that interval, of trades; otherwise, or while it is down, the network's, of the mark. */
  candles(market: number, interval: number): Candle[] {
    const address = this.addresses.get(market);
    if (!address || !INDEXED_INTERVALS.includes(interval)) return this.own.candles(market, interval);
    const bars = this.bars.get(`${market}/${interval}`) ?? this.follow(market, address, interval);
    if (bars.byTime.size === 0 || this.state === 'down') return this.own.candles(market, interval);
    return [...bars.byTime.values()].sort((a, b) => a.time - b.time);
  }

  load(market: number, address: string): Promise<void> {
    if (!this.addresses.has(market)) {
      this.addresses.set(market, address);
      // Every time that it comes back, what was missed is read.
      this.indexer.subscribe<IndexedTrade>({ subscribe: 'trades', market: address }, () => undefined, () => void this.loadTrades(market, address));
      void this.loadTrades(market, address);
    }
    return this.own.load(market, address);
  }

  close(): void {
    clearTimeout(this.retry);
    this.own.close();
    this.indexer.close();
  }

  /** What was read may not have happened: all of it is read anew. */
  private forget(): void {
    this.rollbacks++;
    this.past.clear();
    for (const [market, address] of this.addresses) {
      this.topics.touch(`feed:${market}`);
      void this.loadTrades(market, address);
    }
    for (const bars of this.bars.values()) {
      bars.byTime.clear();
      void bars.load();
    }
  }

  private loadTrades(market: number, address: string): Promise<void> {
    return this.readList(`trades/${market}`, () => this.indexer.trades(address, { limit: TRADES }), (trades) => {
      this.past.set(market, trades.map((trade) => ({ signature: trade.signature, trade: tradeOf(trade) })));
    });
  }

  /** Reads a list and takes it over, unless something was taken back meanwhile; one that cannot be read is asked for again. */
  private async readList<T>(name: string, ask: () => Promise<T>, take: (answer: T) => void): Promise<void> {
    const { rollbacks } = this;
    try {
      const answer = await ask();
      if (rollbacks !== this.rollbacks) return;
      this.change(() => {
        take(answer);
        this.failing.delete(name);
        this.read = true;
      });
    } catch {
      this.change(() => this.failing.set(name, () => this.readList(name, ask, take)));
      this.retry ??= setTimeout(() => {
        this.retry = undefined;
        for (const again of this.failing.values()) void again();
      }, this.retryMs);
    }
  }

  private follow(market: number, address: string, interval: number): Bars {
    const byTime = new Map<number, Candle>();
    const put = (candle: IndexedCandle): void => {
      byTime.set(candle.time, candleOf(candle));
    };
    const load = (): Promise<void> =>
      this.readList(`candles/${market}/${interval}`, () => this.indexer.candles(address, interval, { limit: CANDLES }), (candles) => {
        // After a long silence there may be a hole before them.
        if ([...byTime.keys()].every((time) => time < (candles[0]?.time ?? 0))) byTime.clear();
        candles.forEach(put);
      });
    const bars = { byTime, load };
    this.bars.set(`${market}/${interval}`, bars);
    this.indexer.subscribe<IndexedCandle>(
      { subscribe: 'candles', market: address, interval },
      (candle) => {
        put(candle);
        this.topics.touch(`feed:${market}`);
      },
      () => void load(),
    );
    void load();
    return bars;
  }

  /** Carries a change out and tells of it. */
  private change(what: () => void): void {
    const before = this.state;
    what();
    if (this.state !== before) this.topics.touch('status');
    for (const market of this.addresses.keys()) this.topics.touch(`feed:${market}`);
  }
}

/** The network's own ids begin with the signature of their transaction. */
function signatureOf(id: string): string {
  return id.split('-', 1)[0]!;
}

function tradeOf(trade: IndexedTrade): Trade {
  return {
    id: trade.id,
    price: BigInt(trade.price),
    lots: BigInt(trade.lots),
    bought: trade.taker_side === 'long',
    cause: trade.forced ? 'liquidation' : 'taker',
    time: trade.time,
  };
}

function candleOf({ time, open, high, low, close, lots }: IndexedCandle): Candle {
  return { time, open: BigInt(open), high: BigInt(high), low: BigInt(low), close: BigInt(close), volume: BigInt(lots) };
}
