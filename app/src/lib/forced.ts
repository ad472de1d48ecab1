// Liquidations, takeovers and deleveragings as a node's logs tell them: since the page was opened, and what the node
// remembers of before.
import { forcedInLogs, type ForcedInfo } from '../wasm/ballast_wasm';
import type { Rpc } from './rpc';
import type { Socket } from './socket';
import type { Topics } from './topics';
import { transactionsOf } from './transactions';

/** A forced reduction and where it happened. */
export interface Forced extends ForcedInfo {
  signature: string;
  /** Unix seconds. */
  time: number;
}

const MOST = 500;
/** Transactions of the past that are looked at, per address. */
const HISTORY = 200;

/** The node's forced reductions. Changes are told under the topic `forced`. */
export class ForcedFeed {
  private list: Forced[] = [];
  private readonly seen = new Set<string>();
  private readonly loaded = new Set<string>();
  private readonly stops: (() => void)[];

  constructor(
    private readonly rpc: Rpc,
    socket: Pick<Socket, 'subscribe'>,
    markets: readonly string[],
    private readonly topics: Topics,
    private readonly now: () => number,
  ) {
    // Not the program's: anybody can found exchanges of it.
    const take = (result: unknown): void => {
      const { value } = result as { value: { signature: string; err: unknown; logs: string[] | null } };
      if (value.err === null && value.logs) this.take(value.signature, value.logs, this.now());
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
        const past = await transactionsOf(this.rpc, address, HISTORY, this.seen);
        past.forEach(({ signature, logs, time }) => this.take(signature, logs, time));
      } catch (error) {
        this.loaded.delete(address);
        throw error;
      }
    }
  }

  close(): void {
    this.stops.forEach((stop) => stop());
  }

  private take(signature: string, logs: string[], time: number): void {
    if (this.seen.has(signature)) return;
    this.seen.add(signature);
    const found = forcedInLogs(logs).map((info) => ({ ...info, signature, time }));
    if (found.length === 0) return;
    this.list = [...found.reverse(), ...this.list].sort((a, b) => b.time - a.time).slice(0, MOST);
    this.topics.touch('forced');
  }
}
