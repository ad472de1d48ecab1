// The exchange as it is on the network, kept current: accounts go into the WebAssembly desk as bytes and are asked for
// what they mean. Small accounts are always watched; books and ranking indexes only of the markets that are needed.
import { getBase58Decoder } from '@solana/kit';

import { getExchangeDiscriminatorBytes } from '../generated';
import {
  Desk,
  accountKind,
  marginAddress,
  marketAddress,
  programAddress,
  type AccountInfo,
  type ExchangeInfo,
  type MarketInfo,
  type OpenOrder,
  type TriggerInfo,
} from '../wasm/ballast_wasm';
import { genesisChain, isLocal, type Cluster } from './cluster';
import { ChainFeed, type MarketFeed } from './feed';
import { Alarms, type Alarm } from './alarms';
import { ForcedFeed } from './forced';
import { IndexedFeed } from './indexedFeed';
import { Indexer } from './indexer';
import { ACCOUNT_OPTIONS, Rpc, accountOf, type RawAccount, type WireAccount } from './rpc';
import { Socket, type Connection } from './socket';
import { findTables, loadTables, type Tables } from './tables';
import { tokenAddress } from './tokens';
import { Topics, onFrame } from './topics';
import type { PastTransaction } from './transactions';
import { prepareZstd } from './zstd';

/** Margin accounts per owner that the page looks for. */
export const ACCOUNTS = 8;
const CLOCK = 'SysvarC1ock11111111111111111111111111111111';
const CLOCK_EVERY_MS = 5_000;
/** For how long the page believes its own accounts without asking again, should an update have been lost. */
const RESYNC_MS = 30_000;

/** How often what accounts are worth is computed anew when books and prices move. Their own changes are told at once. */
const ACCOUNT_PACE_MS = 250;

/** How far the page has come. */
export type Phase = 'loading' | 'ready' | 'failed';

/** What a wallet has outside the exchange. */
export interface Funds {
  lamports: bigint;
  /** Dollars in the wallet's token account; `null` while it has none. */
  tokens: bigint | null;
}

/** A live connection to one network's exchange. */
export class Chain {
  readonly topics = new Topics();
  readonly rpc: Rpc;
  readonly program = programAddress();
  readonly indexer: Indexer | null;
  phase: Phase = 'loading';
  failure = '';
  connection: Connection = 'connecting';
  funds: Funds | null = null;
  /** Lookup tables, for transactions that are too large without. */
  tables: Tables = {};
  feed: MarketFeed | undefined;
  /** Forced reductions that the node tells of. */
  forced: ForcedFeed | undefined;
  private readonly hearers = new Set<(alarm: Alarm) => void>();
  private desk: Desk | undefined;
  private socket: Socket | undefined;
  private readonly watched = new Map<string, () => void>();
  private readonly arrivals = new Map<string, number>();
  /** The latest of what came since the last frame: only that is decoded. */
  private readonly pending = new Map<string, WireAccount>();
  private markets_: MarketInfo[] = [];
  private owner: string | null = null;
  private wallet: string | null = null;
  private accountAddresses: string[] = [];
  /** Of these, those of which it is known whether they exist. */
  private readonly heard = new Set<string>();
  /** The wallet and its token account. */
  private purse: string[] = [];
  private focus = -1;
  private clockOffset = 0;
  private timers: ReturnType<typeof setInterval>[] = [];
  private closed = false;

  constructor(readonly cluster: Cluster) {
    this.rpc = new Rpc(cluster.rpc);
    this.indexer = cluster.indexer ? new Indexer(cluster.indexer) : null;
    void this.start();
  }

  /** Ends it. */
  close(): void {
    this.closed = true;
    this.timers.forEach(clearInterval);
    this.feed?.close();
    this.forced?.close();
    this.socket?.close();
  }

  /** The exchange. */
  exchange(): ExchangeInfo | null {
    return this.desk?.exchange() ?? null;
  }

  /** All markets, by index. */
  markets(): readonly MarketInfo[] {
    return this.markets_;
  }

  /** The desk, for questions about what it holds. `null` until the exchange is here. */
  ask<T>(question: (desk: Desk) => T): T | null {
    if (!this.desk) return null;
    try {
      return question(this.desk);
    } catch (problem) {
      // What is not here yet cannot be answered yet.
      if ((problem as { name?: string }).name !== 'Missing') console.warn(problem);
      return null;
    }
  }

  /** Addresses of the owner's margin accounts, by number. */
  addresses(): readonly string[] {
    return this.accountAddresses;
  }

  /** The owner's margin accounts that exist; of another owner than the wallet, those that the wallet may trade for. */
  accounts(): AccountInfo[] {
    const all = this.accountAddresses.flatMap((address) => this.ask((desk) => desk.account(address)) ?? []);
    return this.owner === this.wallet ? all : all.filter(({ delegate }) => delegate === this.wallet);
  }

  /**
   * The number that counts when this one was chosen: itself, or the first that exists once it is known that it does not. Another
   * owner's account is never put in the place of the one that was entrusted.
   */
  chosen(number: number): number {
    if (this.owner !== this.wallet) return number;
    const exists = (address: string): boolean => this.ask((desk) => desk.marketsOf(address)) !== null;
    return chosenAmong(number, this.accountAddresses.map((address) => (exists(address) ? true : this.heard.has(address) ? false : undefined)));
  }

  /** An account's resting orders, newest first. */
  orders(account: AccountInfo): OpenOrder[] {
    return account.positions.flatMap(({ market }) => this.ask((desk) => desk.orders(account.address, market)) ?? []);
  }

  /** An account's take-profits and stops, newest first in each market. */
  triggers(account: AccountInfo): TriggerInfo[] {
    return account.positions.flatMap(({ market }) => this.ask((desk) => desk.triggers(account.address, market)) ?? []);
  }

  /** Whether there should be an indexer and it does not answer. */
  indexerDown(): boolean {
    return this.feed instanceof IndexedFeed && this.feed.state === 'down';
  }

  /** Calls `hear` when an account that is shown is reduced by force, until the function that is returned is called. */
  onAlarm(hear: (alarm: Alarm) => void): () => void {
    this.hearers.add(hear);
    return () => this.hearers.delete(hear);
  }

  /** The chain's time in unix seconds. */
  now(): number {
    return Math.floor(Date.now() / 1_000 + this.clockOffset);
  }

  /** Watches this market's book and ranking index. */
  setFocus(market: number): void {
    if (market === this.focus) return;
    this.focus = market;
    this.watchSlabs();
    const info = this.markets_[market];
    if (info) void this.feed?.load(market, info.address);
  }

  /** Watches this owner's accounts, and the funds of the wallet, which is his or his delegate's. */
  setOwner(owner: string | null, wallet: string | null): void {
    if (owner === this.owner && wallet === this.wallet) return;
    for (const address of [...this.accountAddresses, ...this.purse]) this.unwatch(address);
    [this.owner, this.wallet] = [owner, wallet];
    this.funds = null;
    [this.accountAddresses, this.purse] = [[], []];
    this.heard.clear();
    this.topics.touch('account');
    this.topics.touch('funds');
    void this.watchOwner();
  }

  /** Fetches the owner's accounts and the wallet's funds anew, after a transaction. */
  async refresh(): Promise<void> {
    await Promise.all([this.fetch([...this.accountAddresses, ...this.slabsNeeded()]), this.fetchFunds()]);
  }

  private async start(): Promise<void> {
    try {
      await Promise.all([prepareZstd(), this.checkNetwork()]);
      const exchange = this.cluster.exchange ?? (await this.findExchange());
      const [account] = await this.rpc.accounts([exchange]);
      if (account?.owner !== this.program) throw new Error(`there is no exchange at ${exchange}`);
      this.desk = new Desk(exchange, account.data);
      await this.syncClock();
      const markets = Array.from({ length: this.desk.exchange().marketCount }, (_, at) => marketAddress(exchange, at));
      this.put(await this.rpc.accounts(markets), markets);
      if (this.closed) return;
      this.phase = 'ready';
      this.listen([exchange, ...markets]);
      this.topics.touch('status');
      void this.watchOwner();
      void this.readTables(exchange).catch((error: unknown) => console.warn('no lookup tables', error));
    } catch (error) {
      if (this.closed) return;
      this.phase = 'failed';
      this.failure = message(error);
      this.topics.touch('status');
      setTimeout(() => {
        if (!this.closed) void this.start();
      }, 3_000);
    }
  }

  /** A wallet signs for the network that the page names: a server of another one is refused, whoever named it. */
  private async checkNetwork(): Promise<void> {
    const chain = genesisChain(await this.rpc.call<string>('getGenesisHash'));
    if (chain === null || chain === this.cluster.chain) return;
    throw new Error(`this server is of ${chain.replace('solana:', '')}, not of ${this.cluster.chain.replace('solana:', '')}: choose the network anew`);
  }

  private async findExchange(): Promise<string> {
    const filter = { memcmp: { offset: 0, bytes: getBase58Decoder().decode(getExchangeDiscriminatorBytes()) } };
    const found = await this.rpc.programAccounts(this.program, [filter], 8);
    return onlyExchange(found.map(({ pubkey }) => pubkey));
  }

  private async readTables(exchange: string): Promise<void> {
    const { cluster, rpc } = this;
    this.tables = await loadTables(rpc, cluster.tables ?? (isLocal(cluster) ? await findTables(rpc, exchange) : []));
  }

  private listen(always: string[]): void {
    const { ws } = this.cluster;
    this.socket = new Socket(ws, (state) => {
      this.connection = state;
      this.topics.touch('status');
    });
    const own = new ChainFeed(this.rpc, this.socket, this.topics, () => this.now(), ({ whole }) => this.ask((desk) => desk.eventsIn(whole)) ?? []);
    this.feed = this.indexer ? new IndexedFeed(this.indexer, own, this.topics) : own;
    this.forced = this.watchForced(this.socket, always.slice(1));
    always.forEach((address) => this.watch(address));
    this.watchSlabs();
    const info = this.markets_[this.focus];
    if (info) void this.feed.load(info.index, info.address);
    this.timers = [
      setInterval(() => this.tick(), 1_000),
      setInterval(() => void this.syncClock().catch(() => undefined), CLOCK_EVERY_MS),
      setInterval(() => void this.refresh().catch(() => undefined), RESYNC_MS),
    ];
  }

  /** Listens to forced reductions in markets, and tells of those of the accounts that are shown. */
  private watchForced(socket: Socket, markets: string[]): ForcedFeed {
    const alarms = new Alarms(() => this.accounts(), () => this.markets(), (alarm) => this.hearers.forEach((hear) => hear(alarm)));
    for (const topic of ['account', 'clock']) this.topics.subscribe(topic, () => alarms.look());
    const read = ({ whole }: PastTransaction) => ({
      forced: this.ask((desk) => desk.forcedIn(whole)) ?? [],
      booked: this.ask((desk) => desk.receiptsIn(whole)) ?? [],
    });
    return new ForcedFeed(this.rpc, socket, markets, this.topics, () => this.now(), read, () => this.accountAddresses, alarms);
  }

  /** The clock moves prices' ages and funding's countdown. */
  private tick(): void {
    this.desk?.setTime(BigInt(this.now()));
    this.remember();
    this.topics.touch('clock');
  }

  private async syncClock(): Promise<void> {
    const [clock] = await this.rpc.accounts([CLOCK]);
    if (!clock || clock.data.length < 40) return;
    const unix = Number(new DataView(clock.data.buffer, clock.data.byteOffset).getBigInt64(32, true));
    this.clockOffset = unix - Date.now() / 1_000;
    this.desk?.setTime(BigInt(unix));
  }

  private remember(): void {
    this.markets_ = this.ask((desk) => desk.markets()) ?? this.markets_;
    this.topics.touch('markets');
  }

  private put(accounts: (RawAccount | null)[], addresses: string[]): void {
    accounts.forEach((account, at) => this.apply(addresses[at]!, account));
  }

  /** Takes over what came since the last frame. */
  private flush(): void {
    const arrived = [...this.pending];
    this.pending.clear();
    for (const [address, wire] of arrived) this.apply(address, accountOf(wire));
  }

  private apply(address: string, account: RawAccount | null): void {
    // What waits came before this was fetched.
    this.pending.delete(address);
    const data = account?.owner === this.program ? account.data : new Uint8Array();
    if (data.length > 0 && !accountKind(data)) return;
    const what = this.ask((desk) => desk.put(address, data));
    this.heard.add(address);
    if (what === 'market') this.remember();
    if (what === 'book' || what === 'ranks') {
      for (const market of this.markets_) {
        if (market.book === address) this.topics.touch(`book:${market.index}`);
        if (market.ranks === address) this.topics.touch(`ranks:${market.index}`);
      }
    }
    if (what === 'account') {
      this.watchSlabs();
      this.topics.touch('account');
    } else this.topics.touch('account', ACCOUNT_PACE_MS);
  }

  private watch(address: string): void {
    if (this.watched.has(address) || !this.socket) return;
    const take = (result: unknown): void => {
      this.arrivals.set(address, (this.arrivals.get(address) ?? 0) + 1);
      if (this.pending.size === 0) onFrame(() => this.flush());
      this.pending.set(address, (result as { value: WireAccount }).value);
    };
    // Whatever changed before it listens is fetched once it does.
    const stop = this.socket.subscribe('accountSubscribe', [address, ACCOUNT_OPTIONS], take, () => {
      void this.fetch([address]).catch(() => undefined);
    });
    this.watched.set(address, stop);
  }

  private unwatch(address: string): void {
    this.watched.get(address)?.();
    this.watched.delete(address);
  }

  /** Fetches accounts; one that changes meanwhile is fetched again, since nobody knows which of the two is newer. */
  private async fetch(addresses: string[], attempts = 3): Promise<void> {
    if (addresses.length === 0) return;
    const before = addresses.map((address) => this.arrivals.get(address) ?? 0);
    const accounts = await this.rpc.accounts(addresses);
    const again: string[] = [];
    addresses.forEach((address, at) => {
      if ((this.arrivals.get(address) ?? 0) === before[at]) this.apply(address, accounts[at] ?? null);
      else again.push(address);
    });
    // What keeps changing is current by its own updates.
    if (attempts > 1) await this.fetch(again, attempts - 1);
  }

  private slabsNeeded(): string[] {
    const markets = new Set([this.focus, ...this.marketsOfOwner()]);
    return this.markets_.filter(({ index }) => markets.has(index)).flatMap(({ book, ranks }) => [book, ranks]);
  }

  /** The markets in which the owner has anything. An account cannot be described before its markets' slabs are here. */
  private marketsOfOwner(): number[] {
    return this.accountAddresses.flatMap((address) => [...(this.ask((desk) => desk.marketsOf(address)) ?? [])]);
  }

  private watchSlabs(): void {
    if (!this.socket) return;
    const needed = new Set(this.slabsNeeded());
    for (const { index, book, ranks } of this.markets_) {
      for (const address of [book, ranks]) {
        if (needed.has(address)) this.watch(address);
        else this.unwatch(address);
      }
      if (!needed.has(book)) this.desk?.dropSlabs(index);
    }
  }

  private async watchOwner(): Promise<void> {
    const { owner, wallet, desk } = this;
    if (!owner || !wallet || !desk || !this.socket) return;
    const { address: exchange, quoteMint } = desk.exchange();
    this.accountAddresses = Array.from({ length: ACCOUNTS }, (_, number) => marginAddress(exchange, owner, number));
    this.accountAddresses.forEach((address) => this.watch(address));
    const tokens = await tokenAddress(wallet, quoteMint);
    // Somebody else may have come meanwhile.
    if (owner !== this.owner || wallet !== this.wallet) return;
    this.purse = [wallet, tokens];
    const changed = (): void => void this.fetchFunds().catch(() => undefined);
    for (const address of this.purse) {
      if (this.watched.has(address)) continue;
      this.watched.set(address, this.socket.subscribe('accountSubscribe', [address, ACCOUNT_OPTIONS], changed, changed));
    }
  }

  private async fetchFunds(): Promise<void> {
    const { wallet, desk } = this;
    if (!wallet || !desk) return;
    const tokens = await tokenAddress(wallet, desk.exchange().quoteMint);
    const [holder, account] = await this.rpc.accounts([wallet, tokens]);
    if (wallet !== this.wallet) return;
    const amount = account && account.data.length >= 72 ? new DataView(account.data.buffer, account.data.byteOffset) : null;
    this.funds = { lamports: BigInt(holder?.lamports ?? 0), tokens: amount?.getBigUint64(64, true) ?? null };
    this.topics.touch('funds');
  }
}

/** The number that counts when one was chosen, of accounts that exist, do not, or of which that is not known yet. */
export function chosenAmong(number: number, exist: readonly (boolean | undefined)[]): number {
  if (exist[number] || exist.length === 0 || exist.includes(undefined)) return number;
  return Math.max(exist.indexOf(true), 0);
}

/** The exchange of a network. Anybody can found another, with an oracle of his own: which of several is meant has to be said. */
export function onlyExchange(addresses: readonly string[]): string {
  const [address] = addresses;
  if (address === undefined) throw new Error('this network has no Ballast exchange');
  if (addresses.length > 1) throw new Error(`this network has ${addresses.length} exchanges of this program, and anybody can found one: name yours with exchange=… in the page’s address`);
  return address;
}

/** What an error says. */
export function message(error: unknown): string {
  if (error instanceof Error) return error.message;
  const { message: text } = (error ?? {}) as { message?: unknown };
  return typeof text === 'string' ? text : String(error);
}
