// Transactions as a node remembers them: what they logged, and which accounts they named.
import type { Rpc } from './rpc';

/** A transaction that succeeded. */
export interface PastTransaction {
  signature: string;
  slot: number;
  /** Unix seconds; 0 when the node does not know. */
  time: number;
  logs: string[];
  /** Addresses of all accounts that it named, those of lookup tables included. */
  accounts: string[];
}

interface Wire {
  slot: number;
  blockTime: number | null;
  transaction: { message: { accountKeys: string[] } };
  meta: { err: unknown; logMessages: string[] | null; loadedAddresses?: { writable: string[]; readonly: string[] } } | null;
}

const BATCH = 40;
const HOW = { encoding: 'json', commitment: 'confirmed', maxSupportedTransactionVersion: 0 };

/** A transaction by its signature; `null` when the node does not know it (any more). */
export async function transaction(rpc: Rpc, signature: string): Promise<PastTransaction | null> {
  return past(signature, await rpc.call<Wire | null>('getTransaction', [signature, HOW]));
}

/** The latest transactions that named an account, newest first, without those that failed. */
export async function transactionsOf(rpc: Rpc, address: string, limit: number, known: ReadonlySet<string> = new Set()): Promise<PastTransaction[]> {
  interface Found { signature: string; err: unknown }
  const found = await rpc.call<Found[]>('getSignaturesForAddress', [address, { limit, commitment: 'confirmed' }]);
  const wanted = found.filter(({ signature, err }) => err === null && !known.has(signature));
  const list: PastTransaction[] = [];
  for (let at = 0; at < wanted.length; at += BATCH) {
    const part = wanted.slice(at, at + BATCH);
    const answers = await rpc.batch<Wire | null>(part.map(({ signature }) => ({ method: 'getTransaction', params: [signature, HOW] })));
    list.push(...answers.flatMap((answer, index) => past(part[index]!.signature, answer) ?? []));
  }
  return list;
}

function past(signature: string, wire: Wire | null): PastTransaction | null {
  if (wire?.meta?.err !== null) return null;
  const { writable = [], readonly = [] } = wire.meta.loadedAddresses ?? {};
  const accounts = [...wire.transaction.message.accountKeys, ...writable, ...readonly];
  return { signature, slot: wire.slot, time: wire.blockTime ?? 0, logs: wire.meta.logMessages ?? [], accounts };
}
