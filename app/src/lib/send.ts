// From instructions to a confirmed transaction: simulated first, so that a refusal costs nothing and is in plain words; then
// signed by the wallet, sent until it is confirmed or its blockhash has expired.
import {
  AccountRole,
  address,
  appendTransactionMessageInstructions,
  blockhash as asBlockhash,
  compileTransaction,
  createTransactionMessage,
  getTransactionEncoder,
  pipe,
  setTransactionMessageFeePayer,
  setTransactionMessageLifetimeUsingBlockhash,
  type Instruction,
} from '@solana/kit';

import { Trouble, trouble, troubleOf } from './problems';
import { toBase64, type Rpc } from './rpc';

/** How far a transaction has come. */
export type Stage = 'checking' | 'signing' | 'sending' | 'confirming' | 'done' | 'failed';

/** Who signs: gives the bytes of a transaction back with its signature. */
export interface TransactionSigner {
  address: string;
  sign(transaction: Uint8Array): Promise<Uint8Array>;
}

const COMPUTE_BUDGET = address('ComputeBudget111111111111111111111111111111');
const MOST_UNITS = 1_400_000;
/** More than the simulation used, for what may change until execution: more makers met, a longer search. */
const UNITS_MARGIN = 1.25;
/** The most that the page pays for priority, in millionths of a lamport per unit. */
const MOST_PRIORITY = 200_000;
const RESEND_MS = 2_000;
const POLL_MS = 400;

/** Runs the instructions in one transaction; returns its signature. */
export async function transact(
  rpc: Rpc,
  program: string,
  signer: TransactionSigner,
  instructions: readonly Instruction[],
  onStage: (stage: Stage) => void,
): Promise<string> {
  try {
    onStage('checking');
    const units = await simulate(rpc, program, signer.address, instructions);
    const price = await priority(rpc, instructions);
    interface Latest { value: { blockhash: string; lastValidBlockHeight: number } }
    const latest = await rpc.call<Latest>('getLatestBlockhash', [{ commitment: 'confirmed' }]);
    const limit = Math.min(Math.ceil(units * UNITS_MARGIN) + 10_000, MOST_UNITS);
    const budget = [unitLimit(limit), ...(price > 0 ? [unitPrice(price)] : [])];
    const unsigned = compile(signer.address, [...budget, ...instructions], latest.value.blockhash);
    onStage('signing');
    const signed = await signer.sign(unsigned);
    onStage('sending');
    return await deliver(rpc, program, signed, latest.value.lastValidBlockHeight, onStage);
  } catch (error) {
    onStage('failed');
    throw trouble(error);
  }
}

/** Units that the instructions use; throws what the program says where it refuses. */
export async function simulate(
  rpc: Rpc,
  program: string,
  payer: string,
  instructions: readonly Instruction[],
): Promise<number> {
  const bytes = compile(payer, [unitLimit(MOST_UNITS), ...instructions], '11111111111111111111111111111111');
  const options = { encoding: 'base64', commitment: 'confirmed', sigVerify: false, replaceRecentBlockhash: true };
  interface Simulated { value: { err: unknown; logs: string[] | null; unitsConsumed?: number } }
  const { value } = await rpc.call<Simulated>('simulateTransaction', [toBase64(bytes), options]);
  if (value.err !== null) throw troubleOf(value.err, value.logs ?? [], program);
  return value.unitsConsumed ?? MOST_UNITS;
}

async function deliver(
  rpc: Rpc,
  program: string,
  signed: Uint8Array,
  lastValid: number,
  onStage: (stage: Stage) => void,
): Promise<string> {
  const wire = toBase64(signed);
  const options = { encoding: 'base64', skipPreflight: true, maxRetries: 0 };
  const signature = await rpc.call<string>('sendTransaction', [wire, options]);
  onStage('confirming');
  let sentAt = Date.now();
  for (;;) {
    type Status = { confirmationStatus: string | null; err: unknown } | null;
    const { value } = await rpc.call<{ value: Status[] }>('getSignatureStatuses', [[signature]]);
    const status = value[0];
    if (status?.err) throw troubleOf(status.err, await logsOf(rpc, signature), program);
    if (status?.confirmationStatus === 'confirmed' || status?.confirmationStatus === 'finalized') {
      onStage('done');
      return signature;
    }
    if (!status && Date.now() - sentAt > RESEND_MS) {
      const height = await rpc.call<number>('getBlockHeight', [{ commitment: 'confirmed' }]);
      if (height > lastValid) throw new Trouble('Too late', 'The transaction expired without being executed. Try again.');
      await rpc.call<string>('sendTransaction', [wire, options]).catch(() => undefined);
      sentAt = Date.now();
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

async function logsOf(rpc: Rpc, signature: string): Promise<string[]> {
  const how = { encoding: 'json', commitment: 'confirmed', maxSupportedTransactionVersion: 0 };
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

function compile(payer: string, instructions: readonly Instruction[], recent: string): Uint8Array {
  const lifetime = { blockhash: asBlockhash(recent), lastValidBlockHeight: 0n };
  const message = pipe(
    createTransactionMessage({ version: 0 }),
    (empty) => setTransactionMessageFeePayer(address(payer), empty),
    (paid) => setTransactionMessageLifetimeUsingBlockhash(lifetime, paid),
    (dated) => appendTransactionMessageInstructions(instructions, dated),
  );
  return new Uint8Array(getTransactionEncoder().encode(compileTransaction(message)));
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
