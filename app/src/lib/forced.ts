// Liquidations, takeovers and deleveragings as the program recorded them: since the page was opened, and what the node
// remembers of before.
import { worthFetching, type ForcedInfo } from '../wasm/ballast_wasm';
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

const MOST = 500;
/** Transactions of the past that are looked at, per address. */
const HISTORY = 200;

/** Picks the forced reductions of the page's exchange out of a transaction. */
export type ReadForced = (transaction: PastTransaction) => readonly ForcedInfo[];

/** The node's forced reductions. Changes are told under the topic `forced`. */
export class ForcedFeed {
  private list: Forced[] = [];
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
  ) {
    this.fetcher = new Fetcher(rpc, (found) => this.take(found));
    // Not the program's: anybody can found exchanges of it.
    const take = (result: unknown): void => {
      const { value } = result as { value: { signature: string; err: unknown; logs: string[] | null } };
      if (value.err === null && value.logs && !this.seen.has(value.signature) && worthFetching(value.logs, true)) this.fetcher.add(value.signature);
    };
    this.stops = markets.map((market) => socket.subscribe('logsSubscribe', [{ mentions: [market] }, { commitment: 'confirmed' }], take));
  }

  /** What is known, newest first. */
  rows(): readonly Forced[] {
    return this.list;
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

  private take(transaction: PastTransaction): void {
    const { signature } = transaction;
    if (this.seen.has(signature)) return;
    this.seen.add(signature);
    const time = transaction.time || this.now();
    const found = this.read(transaction).map((info) => ({ ...info, signature, time }));
    if (found.length === 0) return;
    this.list = [...found.reverse(), ...this.list].sort((a, b) => b.time - a.time).slice(0, MOST);
    this.topics.touch('forced');
  }
}
