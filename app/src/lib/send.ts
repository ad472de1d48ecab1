// From instructions to a confirmed transaction: simulated first, so that a refusal costs nothing and is in plain words; then
// signed by the wallet, sent until it is confirmed or its blockhash has expired, however often the server fails meanwhile.
import {
  AccountRole,
  address,
  appendTransactionMessageInstructions,
  blockhash as asBlockhash,
  compileTransaction,
  compressTransactionMessageUsingAddressLookupTables,
  createTransactionMessage,
  getBase58Decoder,
  getTransactionEncoder,
  pipe,
  setTransactionMessageFeePayer,
  setTransactionMessageLifetimeUsingBlockhash,
  type Instruction,
} from '@solana/kit';

import { Trouble, trouble, troubleOf } from './problems';
import { RpcError, toBase64, type Rpc } from './rpc';
import type { Tables } from './tables';
import { TRANSACTION_VERSION } from './transactions';

/** How far a transaction has come. */
export type Stage = 'checking' | 'signing' | 'sending' | 'confirming' | 'done' | 'failed';

/** Who signs: gives the bytes of a transaction back with its signature. */
export interface TransactionSigner {
  address: string;
  sign(transaction: Uint8Array): Promise<Uint8Array>;
}

const COMPUTE_BUDGET = address('ComputeBudget111111111111111111111111111111');
const MOST_UNITS = 1_400_000;
/** Bytes of a transaction that fit a packet. */
export const MOST_BYTES = 1_232;
/** More than the simulation used, for what may change until execution: more makers met, a longer search. */
const UNITS_MARGIN = 1.25;
/** The most that the page pays for priority, in millionths of a lamport per unit. */
const MOST_PRIORITY = 200_000;
const RESEND_MS = 2_000;
const POLL_MS = 400;
/** After so long a blockhash has certainly expired: 150 blocks, none of which takes a second. */
const EXPIRED_MS = 150_000;
/** JSON-RPC's word for what a server takes for no transaction at all: it passes nothing on. */
const MALFORMED = [-32_602, -32_003];

/** A transaction was sent, and nobody can say what became of it. */
export class Uncertain extends Trouble {
  constructor(readonly signature: string) {
    super('Nobody knows', 'The transaction was sent, but the server does not say what became of it. Look it up before you do the same again.');
    this.name = 'Uncertain';
  }
}

/** Where transactions go. */
export interface Route {
  rpc: Rpc;
  /** Whose errors are told in its words. */
  program: string;
  /** For transactions that are too large without. */
  tables: Tables;
}

/** Runs the instructions in one transaction; returns its signature, which the stages from `sending` on tell, too. */
export async function transact(
  { rpc, program, tables }: Route,
  signer: TransactionSigner,
  instructions: readonly Instruction[],
  onStage: (stage: Stage, signature?: string) => void,
): Promise<string> {
  try {
    onStage('checking');
    const units = await simulate({ rpc, program, tables }, signer.address, instructions);
    const price = await priority(rpc, instructions);
    interface Latest { value: { blockhash: string; lastValidBlockHeight: number } }
    const latest = await rpc.call<Latest>('getLatestBlockhash', [{ commitment: 'confirmed' }]);
    const limit = Math.min(Math.ceil(units * UNITS_MARGIN) + 10_000, MOST_UNITS);
    const budget = [unitLimit(limit), ...(price > 0 ? [unitPrice(price)] : [])];
    const unsigned = compile(signer.address, [...budget, ...instructions], latest.value.blockhash, tables);
    onStage('signing');
    const signed = await signer.sign(unsigned);
    // The first of the signatures, behind their number.
    const signature = getBase58Decoder().decode(signed.subarray(1, 65));
    onStage('sending', signature);
    await deliver(rpc, program, { wire: toBase64(signed), signature, lastValid: latest.value.lastValidBlockHeight }, () => onStage('confirming', signature));
    onStage('done', signature);
    return signature;
  } catch (error) {
    onStage('failed');
    throw trouble(error);
  }
}

/** Units that the instructions use; throws what the program says where it refuses. */
export async function simulate({ rpc, program, tables }: Route, payer: string, instructions: readonly Instruction[]): Promise<number> {
  // As large as what is signed.
  const budget = [unitLimit(MOST_UNITS), unitPrice(0)];
  const bytes = compile(payer, [...budget, ...instructions], '11111111111111111111111111111111', tables);
  const options = { encoding: 'base64', commitment: 'confirmed', sigVerify: false, replaceRecentBlockhash: true };
  interface Simulated { value: { err: unknown; logs: string[] | null; unitsConsumed?: number } }
  const { value } = await rpc.call<Simulated>('simulateTransaction', [toBase64(bytes), options]);
  if (value.err !== null) throw troubleOf(value.err, value.logs ?? [], program);
  return value.unitsConsumed ?? MOST_UNITS;
}

/** A transaction that is under way. */
interface Sent {
  wire: string;
  signature: string;
  /** The last block height at which it can be executed. */
  lastValid: number;
}

/**
 * Sends until it is confirmed, or cannot be executed any more. A call that fails says nothing about the transaction, so it is
 * made again; what cannot be found out to the end is said to be unknown.
 */
async function deliver(rpc: Rpc, program: string, sent: Sent, onAccepted: () => void): Promise<void> {
  const giveUpAt = Date.now() + EXPIRED_MS;
  let [accepted, expired, sentAt] = [false, false, -Infinity];
  for (;;) {
    if (Date.now() - sentAt >= RESEND_MS) {
      expired ||= sentAt > 0 && (await heightOf(rpc)) > sent.lastValid;
      sentAt = Date.now();
      const took = !expired && (await passOn(rpc, sent, accepted));
      if (took && !accepted) onAccepted();
      accepted ||= took;
    }
    const status = await statusOf(rpc, sent.signature, expired);
    if (status?.err) throw troubleOf(status.err, await logsOf(rpc, sent.signature), program);
    if (status?.confirmationStatus === 'confirmed' || status?.confirmationStatus === 'finalized') return;
    // Only an answer that was asked for after the last possible block says that it was not executed.
    if (status === null && expired) throw new Trouble('Too late', 'The transaction expired without being executed. Try again.');
    if (Date.now() > giveUpAt) throw new Uncertain(sent.signature);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** Hands the transaction to the server; says whether it took it. One that never took it and calls it malformed has the last word. */
async function passOn(rpc: Rpc, { wire }: Sent, accepted: boolean): Promise<boolean> {
  try {
    await rpc.call<string>('sendTransaction', [wire, { encoding: 'base64', skipPreflight: true, maxRetries: 0 }]);
    return true;
  } catch (error) {
    if (!accepted && error instanceof RpcError && MALFORMED.includes(error.code)) throw error;
    return false;
  }
}

type Status = { confirmationStatus: string | null; err: unknown } | null;

/** What the network knows of a transaction: `null` for nothing, `undefined` when the server fails. `long` looks further back. */
async function statusOf(rpc: Rpc, signature: string, long: boolean): Promise<Status | undefined> {
  const params = [[signature], ...(long ? [{ searchTransactionHistory: true }] : [])];
  const answer = await rpc.call<{ value: Status[] }>('getSignatureStatuses', params).catch(() => undefined);
  return answer && (answer.value[0] ?? null);
}

/** The height of the last confirmed block; 0 when the server fails. */
function heightOf(rpc: Rpc): Promise<number> {
  return rpc.call<number>('getBlockHeight', [{ commitment: 'confirmed' }]).catch(() => 0);
}

async function logsOf(rpc: Rpc, signature: string): Promise<string[]> {
  const how = { encoding: 'json', commitment: 'confirmed', maxSupportedTransactionVersion: TRANSACTION_VERSION };
  type Found = { meta: { logMessages: string[] | null } | null } | null;
  const found = await rpc.call<Found>('getTransaction', [signature, how]).catch(() => null);
  return found?.meta?.logMessages ?? [];
}

/** What others lately paid to write the same accounts: the 75th percentile, with a cap. */
async function priority(rpc: Rpc, instructions: readonly Instruction[]): Promise<number> {
  const written = new Set<string>();
  for (const { accounts = [] } of instructions) {
    for (const { address: key, role } of accounts) {
      if (role === AccountRole.WRITABLE || role === AccountRole.WRITABLE_SIGNER) written.add(key);
    }
  }
  interface Fee { prioritizationFee: number }
  const fees = await rpc
    .call<Fee[]>('getRecentPrioritizationFees', [[...written].slice(0, 128)])
    .catch((): Fee[] => []);
  const paid = fees.map((fee) => fee.prioritizationFee).sort((a, b) => a - b);
  return Math.min(paid[Math.floor(paid.length * 0.75)] ?? 0, MOST_PRIORITY);
}

/** A transaction without its signature; with lookup tables only where it is too large without, since wallets show it better so. */
export function compile(payer: string, instructions: readonly Instruction[], recent: string, tables: Tables): Uint8Array {
  const lifetime = { blockhash: asBlockhash(recent), lastValidBlockHeight: 0n };
  const message = pipe(
    createTransactionMessage({ version: 0 }),
    (empty) => setTransactionMessageFeePayer(address(payer), empty),
    (paid) => setTransactionMessageLifetimeUsingBlockhash(lifetime, paid),
    (dated) => appendTransactionMessageInstructions(instructions, dated),
  );
  const encode = (one: Parameters<typeof compileTransaction>[0]): Uint8Array => new Uint8Array(getTransactionEncoder().encode(compileTransaction(one)));
  const plain = encode(message);
  if (plain.length <= MOST_BYTES) return plain;
  const bytes = encode(compressTransactionMessageUsingAddressLookupTables(message, tables));
  if (bytes.length > MOST_BYTES) throw tooLarge(bytes.length, Object.keys(tables).length);
  return bytes;
}

function tooLarge(bytes: number, tables: number): Trouble {
  const cure =
    tables === 0
      ? 'A lookup table of the exchange makes it fit: name one under Network, or with lookup=… in the page’s address.'
      : 'The lookup tables do not hold enough of what it names.';
  return new Trouble(
    'Too large for one transaction',
    `It has ${bytes} bytes, and at most ${MOST_BYTES} can be sent: whatever is done with an account has to name all markets in which it has something. ${cure} Orders can be cancelled without one.`,
  );
}

function unitLimit(units: number): Instruction {
  const data = new Uint8Array(5);
  data[0] = 2;
  new DataView(data.buffer).setUint32(1, units, true);
  return { programAddress: COMPUTE_BUDGET, accounts: [], data };
}

function unitPrice(microLamports: number): Instruction {
  const data = new Uint8Array(9);
  data[0] = 3;
  new DataView(data.buffer).setBigUint64(1, BigInt(microLamports), true);
  return { programAddress: COMPUTE_BUDGET, accounts: [], data };
}
