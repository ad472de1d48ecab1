// Transactions as a node remembers them: whole, as the program's record of events is read from them, and which accounts they
// named.
import type { Rpc } from './rpc';

/** A transaction that succeeded. */
export interface PastTransaction {
  signature: string;
  slot: number;
  /** Unix seconds; 0 when the node does not know. */
  time: number;
  /** As the node gave it: what the WebAssembly reads. */
  whole: unknown;
  /** Addresses of all accounts that it named, those of lookup tables included. */
  accounts: string[];
}

interface Wire {
  slot: number;
  blockTime: number | null;
  transaction: { message: { accountKeys: string[] } };
  meta: { err: unknown; loadedAddresses?: { writable: string[]; readonly: string[] } } | null;
}

const BATCH = 40;
/** The newest version of transactions that is asked for: one that mentions the program in a newer one must not hide the others. */
export const TRANSACTION_VERSION = 1;
const HOW = { encoding: 'json', commitment: 'confirmed', maxSupportedTransactionVersion: TRANSACTION_VERSION };

/** A transaction by its signature; `null` when the node does not know it (any more). */
export async function transaction(rpc: Rpc, signature: string): Promise<PastTransaction | null> {
  return past(signature, await rpc.call<Wire | null>('getTransaction', [signature, HOW]));
}

/** Transactions by their signatures, in batches, as far as the node knows them. */
export async function* transactions(rpc: Rpc, signatures: readonly string[]): AsyncGenerator<PastTransaction> {
  for (let at = 0; at < signatures.length; at += BATCH) {
    const part = signatures.slice(at, at + BATCH);
    const answers = await rpc.batch<Wire | null>(part.map((signature) => ({ method: 'getTransaction', params: [signature, HOW] })));
    for (const [index, answer] of answers.entries()) {
      const found = past(part[index]!, answer);
      if (found) yield found;
    }
  }
}

interface Signed {
  signature: string;
  err: unknown;
  /** Unix seconds; `null` when the node does not know. */
  blockTime: number | null;
}

const signaturesCall = (address: string, limit: number) => ({ method: 'getSignaturesForAddress', params: [address, { limit, commitment: 'confirmed' }] });

/** Signatures of the latest transactions that named an account, newest first, without those that failed. */
export async function signaturesOf(rpc: Rpc, address: string, limit: number): Promise<string[]> {
  const { method, params } = signaturesCall(address, limit);
  return succeeded(await rpc.call<Signed[]>(method, params), 0);
}

/** Signatures of the latest transactions since `time` (Unix seconds) that named any of these accounts, at most `limit` for each. */
export async function signaturesSince(rpc: Rpc, addresses: readonly string[], limit: number, time: number): Promise<string[]> {
  const found = await rpc.batch<Signed[]>(addresses.map((address) => signaturesCall(address, limit)));
  return [...new Set(found.flatMap((some) => succeeded(some, time)))];
}

function succeeded(found: readonly Signed[], since: number): string[] {
  return found.filter(({ err, blockTime }) => err === null && (blockTime ?? since) >= since).map(({ signature }) => signature);
}

/** Fetches transactions that a subscription has told of: those of a moment together, each once. */
export class Fetcher {
  private waiting = new Set<string>();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private closed = false;

  constructor(
    private readonly rpc: Rpc,
    private readonly take: (transaction: PastTransaction) => void,
    private readonly afterMs = 100,
  ) {}

  add(signature: string): void {
    this.waiting.add(signature);
    this.timer ??= setTimeout(() => void this.fetch(), this.afterMs);
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.timer);
  }

  private async fetch(tries = 3): Promise<void> {
    const wanted = this.waiting;
    this.waiting = new Set();
    this.timer = undefined;
    try {
      for await (const found of transactions(this.rpc, [...wanted])) {
        wanted.delete(found.signature);
        if (!this.closed) this.take(found);
      }
    } catch (error) {
      console.warn('transactions could not be fetched', error);
    }
    // What tells of a transaction may be a little ahead of what remembers it.
    if (wanted.size === 0 || tries === 0 || this.closed) return;
    await new Promise((resolve) => setTimeout(resolve, 500));
    wanted.forEach((signature) => this.waiting.add(signature));
    await this.fetch(tries - 1);
  }
}

function past(signature: string, wire: Wire | null): PastTransaction | null {
  if (wire?.meta?.err !== null) return null;
  const { writable = [], readonly = [] } = wire.meta.loadedAddresses ?? {};
  const accounts = [...wire.transaction.message.accountKeys, ...writable, ...readonly];
  return { signature, slot: wire.slot, time: wire.blockTime ?? 0, whole: wire, accounts };
}
