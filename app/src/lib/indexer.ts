// What an indexer remembers that a node does not: candles, trades, an account's history. The page works without one.

import type { components } from '../generated/openapi';

type Schemas = components['schemas'];
/** A unix time in seconds. */
type Seconds = number;

/** What every item of a list has. Amounts are decimal strings of integers: atoms, lots, atoms per lot. */
export type Item = Schemas['Head'];
/** How far the indexer has come. */
export type IndexerStatus = Schemas['Status'];
/** A bar of trades. */
export type IndexedCandle = Schemas['Candle'];
/** A trade. */
export type IndexedTrade = Schemas['Item_Trade'];

/** The lists of an account's history, and what their rows are. */
export interface Rows {
  fills: Schemas['Item_Fill'];
  realised: Schemas['Item_Position'];
  orders: Schemas['Item_OrderLine'];
  funding: Schemas['Item_FundingPayment'];
  transfers: Schemas['Item_Transfer'];
  liquidations: Schemas['Item_Liquidation'];
  deleveragings: Schemas['Item_DeleveragingLine'];
}
/** A bankruptcy that was closed against others. */
export type IndexedDeleveraging = Schemas['Item_Deleveraging'];
/** An entry of the insurance vault's history. */
export type InsuranceEntry = Schemas['Item_Insurance'];

/** The number of an event among its transaction's, which is the third part of an indexer's id. */
export function eventOf(id: string): number {
  return Number(id.split('-')[2] ?? 0);
}

/** Intervals in seconds for which an indexer has candles. */
export const INDEXED_INTERVALS: readonly number[] = [60, 300, 900, 3_600, 14_400, 86_400];

/** What can be subscribed to. */
export type Channel =
  | { subscribe: 'trades'; market: string }
  | { subscribe: 'candles'; market: string; interval: number }
  | { subscribe: 'account'; account: string };

/** Where in a list to read. */
export interface Range {
  limit?: number;
  before?: string;
  from?: Seconds;
  to?: Seconds;
}

const TIMEOUT_MS = 10_000;
const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 15_000;
/** A loss that is over sooner is nobody's business. */
const GRACE_MS = 3_000;

/** The indexer refused, with its own words, or did not answer. */
export class IndexerError extends Error {
  constructor(
    message: string,
    /** The HTTP status; 0 when there was no answer. */
    readonly status: number,
  ) {
    super(message);
    this.name = 'IndexerError';
  }
}

/** The address of an indexer's interface as somebody may write it, with its version; `null` if it is none. */
export function indexerBase(text: string | null | undefined): string | null {
  if (!text) return null;
  try {
    const url = new URL(text);
    if (url.protocol !== 'http:' && url.protocol !== 'https:') return null;
    const path = url.pathname.replace(/\/+$/, '');
    return `${url.origin}${path.endsWith('/v1') ? path : `${path}/v1`}`;
  } catch {
    return null;
  }
}

/** Reads an indexer over HTTP, and listens over one WebSocket that comes back by itself. */
export class Indexer {
  private socket: WebSocket | undefined;
  private readonly listeners = new Map<string, Set<Listener>>();
  private readonly onVoid = new Set<() => void>();
  private readonly onListening = new Set<(listens: boolean) => void>();
  private retries = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  /** Runs while the socket is not open, and ends with the loss being told. */
  private grace: ReturnType<typeof setTimeout> | undefined;
  private closed = false;

  /** `base` as [`indexerBase`] gives it. */
  constructor(
    readonly base: string,
    private readonly graceMs = GRACE_MS,
  ) {}

  /** How far it has come. */
  status(): Promise<IndexerStatus> {
    return this.get<IndexerStatus>('/status');
  }

  /** Bars of a market, oldest first. */
  candles(market: string, interval: number, range: Range = {}): Promise<IndexedCandle[]> {
    return this.get<IndexedCandle[]>(`/markets/${market}/candles`, { interval, ...range });
  }

  /** A market's trades, newest first. */
  trades(market: string, range: Range = {}): Promise<IndexedTrade[]> {
    return this.list<IndexedTrade>(`/markets/${market}/trades`, range);
  }

  /** A list at a path (`/accounts/…/fills`), newest first. */
  list<T extends Item>(path: string, range: Range = {}): Promise<T[]> {
    return this.get<T[]>(path, { ...range });
  }

  /** Whatever is at a path. */
  async get<T>(path: string, query: Record<string, string | number | undefined> = {}): Promise<T> {
    let response: Response;
    try {
      response = await fetch(this.url(path, query), { signal: AbortSignal.timeout(TIMEOUT_MS) });
    } catch {
      throw new IndexerError(`${this.base} does not answer`, 0);
    }
    const body: unknown = await response.json().catch(() => null);
    if (!response.ok) {
      const said = (body as { error?: unknown } | null)?.error;
      throw new IndexerError(typeof said === 'string' ? said : `the indexer answered ${response.status}`, response.status);
    }
    return body as T;
  }

  /**
   * Calls `onItem` with each new item of a channel, until the function that is returned is called. `onOpen` is called whenever
   * it listens (again): what happened before has to be read.
   */
  subscribe<T>(channel: Channel, onItem: (item: T) => void, onOpen: () => void = () => undefined): () => void {
    const key = keyOf(channel);
    const listener: Listener = { channel, onItem: onItem as (item: unknown) => void, onOpen };
    const set = this.listeners.get(key) ?? new Set();
    set.add(listener);
    this.listeners.set(key, set);
    if (this.socket?.readyState === WebSocket.OPEN) {
      this.socket.send(JSON.stringify(channel));
      onOpen();
    } else if (!this.socket) this.connect();
    return () => {
      if (!set.delete(listener) || set.size > 0 || this.listeners.get(key) !== set) return;
      this.listeners.delete(key);
      const { subscribe: unsubscribe, ...what } = channel;
      if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify({ unsubscribe, ...what }));
    };
  }

  /** Calls `action` with whether it hears the indexer: once that has not been so for some seconds, and whenever it is so again. */
  whetherListening(action: (listens: boolean) => void): void {
    this.onListening.add(action);
  }

  /** Calls `action` whenever the indexer took something back that it had sent: its lists have to be read anew. */
  onRollback(action: () => void): () => void {
    this.onVoid.add(action);
    return () => this.onVoid.delete(action);
  }

  /** Ends it. */
  close(): void {
    this.closed = true;
    clearTimeout(this.timer);
    clearTimeout(this.grace);
    this.socket?.close();
  }

  private url(path: string, query: Record<string, string | number | undefined>): string {
    const given = Object.entries(query).filter((entry): entry is [string, string | number] => entry[1] !== undefined);
    const text = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
    return `${this.base}${path}${text && `?${text}`}`;
  }

  private connect(): void {
    if (this.closed) return;
    const socket = new WebSocket(`${this.base.replace(/^http/, 'ws')}/stream`);
    this.socket = socket;
    this.hearNothing();
    socket.onopen = () => {
      this.retries = 0;
      clearTimeout(this.grace);
      this.grace = undefined;
      this.onListening.forEach((action) => action(true));
      for (const set of this.listeners.values()) {
        const [first] = set;
        if (first) socket.send(JSON.stringify(first.channel));
        set.forEach(({ onOpen }) => onOpen());
      }
    };
    socket.onmessage = (event: MessageEvent<string>) => this.receive(event.data);
    socket.onclose = () => {
      this.socket = undefined;
      if (this.closed || this.listeners.size === 0) return;
      this.hearNothing();
      const wait = Math.min(FIRST_RETRY_MS * 2 ** this.retries++, LAST_RETRY_MS);
      this.timer = setTimeout(() => this.connect(), wait);
    };
  }

  private hearNothing(): void {
    this.grace ??= setTimeout(() => this.onListening.forEach((action) => action(false)), this.graceMs);
  }

  private receive(text: string): void {
    const message = JSON.parse(text) as { channel?: string; market?: string; account?: string; interval?: number; data?: unknown; error?: string };
    if (message.error) console.warn(`indexer: ${message.error}`);
    if (message.channel === 'rollback') this.onVoid.forEach((action) => action());
    if (!message.channel) return;
    for (const set of this.listeners.values()) {
      for (const { channel, onItem } of set) if (concerns(channel, message)) onItem(message.data);
    }
  }
}

interface Listener {
  channel: Channel;
  onItem: (item: unknown) => void;
  onOpen: () => void;
}

function keyOf(channel: Channel): string {
  return JSON.stringify(channel);
}

function concerns(channel: Channel, message: { channel?: string; market?: string; account?: string; interval?: number }): boolean {
  if (channel.subscribe !== message.channel) return false;
  if (channel.subscribe === 'account') return channel.account === message.account;
  if (channel.market !== message.market) return false;
  // A server that does not say the interval has been asked for one only.
  return channel.subscribe !== 'candles' || message.interval === undefined || message.interval === channel.interval;
}
