// What the page says of a transaction while the server fails: it keeps trying until the transaction cannot happen any more, and
// never says that something did not happen unless it knows.
import './wasm';

import { AccountRole, address, getBase58Decoder, type Instruction } from '@solana/kit';
import { render, screen } from '@testing-library/react';
import { createElement } from 'react';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { Notices } from '../src/components/Notices';
import { RpcError, Unreachable, type Rpc } from '../src/lib/rpc';
import { Uncertain, transact, type Stage } from '../src/lib/send';

const PROGRAM = '5WqfobdNy1Pn5RtYcSeoJpAngepb32PTv1LBKinXq5KH';
const OWNER = '9WzDXwBbmkg8ZTbNMqUxvQRAyrZzDsGYdLVL9zYtAWWM';
const SIGNATURE = getBase58Decoder().decode(new Uint8Array(64).fill(7));
const LAST_VALID = 150;

const notices = vi.hoisted(() => ({ all: [] as unknown[] }));
vi.mock('../src/hooks/session', () => ({ useSession: () => ({ notices: notices.all, dismiss: () => undefined, cluster: { chain: 'solana:devnet', rpc: 'https://x' } }) }));

const down = (): never => {
  throw new Unreachable('https://x', new Error('429'));
};
const instruction: Instruction = { programAddress: address(PROGRAM), accounts: [{ address: address(OWNER), role: AccountRole.WRITABLE_SIGNER }], data: new Uint8Array([1]) };
const signer = {
  address: OWNER,
  sign: (transaction: Uint8Array) => {
    const signed = new Uint8Array(transaction);
    signed.fill(7, 1, 65);
    return Promise.resolve(signed);
  },
};

/** A server that simulates and has a blockhash; what it says of sending, statuses and heights is up to the test. */
function server(answers: Record<'sendTransaction' | 'getSignatureStatuses' | 'getBlockHeight', (turn: number) => unknown>) {
  const turns: Record<string, number> = {};
  const call = (method: string): Promise<unknown> => {
    if (method === 'simulateTransaction') return Promise.resolve({ value: { err: null, logs: [], unitsConsumed: 5_000 } });
    if (method === 'getRecentPrioritizationFees') return Promise.resolve([]);
    if (method === 'getLatestBlockhash') return Promise.resolve({ value: { blockhash: '11111111111111111111111111111111', lastValidBlockHeight: LAST_VALID } });
    const turn = (turns[method] = (turns[method] ?? 0) + 1);
    return Promise.resolve().then(() => answers[method as keyof typeof answers](turn));
  };
  return { rpc: { call } as unknown as Rpc, turns };
}

async function send(rpc: Rpc) {
  const stages: [Stage, string | undefined][] = [];
  const ended = transact(rpc, PROGRAM, signer, [instruction], (stage, signature) => stages.push([stage, signature])).catch((error: unknown) => error);
  await vi.advanceTimersByTimeAsync(200_000);
  return { result: await ended, stages };
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const nothing = () => ({ value: [null] });
const confirmed = () => ({ value: [{ confirmationStatus: 'confirmed', err: null }] });

describe('a transaction whose server fails now and then', () => {
  it('is sent and asked for again, until it is confirmed', async () => {
    const { rpc, turns } = server({
      sendTransaction: (turn) => (turn < 3 ? down() : SIGNATURE),
      getSignatureStatuses: (turn) => (turn % 2 ? down() : turn < 20 ? nothing() : confirmed()),
      getBlockHeight: (turn) => (turn < 3 ? down() : 10),
    });
    const { result, stages } = await send(rpc);
    expect(result).toBe(SIGNATURE);
    expect(turns.sendTransaction).toBeGreaterThan(3);
    expect(stages).toEqual([['checking', undefined], ['signing', undefined], ['sending', SIGNATURE], ['confirming', SIGNATURE], ['done', SIGNATURE]]);
  });

  it('is confirmed, too, where only the answer to its sending was lost', async () => {
    const { rpc } = server({ sendTransaction: down, getSignatureStatuses: (turn) => (turn < 4 ? nothing() : confirmed()), getBlockHeight: () => 10 });
    expect((await send(rpc)).result).toBe(SIGNATURE);
  });

  it('did not happen once its blockhash has expired and the server knows nothing of it', async () => {
    const { rpc } = server({ sendTransaction: () => SIGNATURE, getSignatureStatuses: nothing, getBlockHeight: (turn) => (turn < 5 ? LAST_VALID : LAST_VALID + 1) });
    expect((await send(rpc)).result).toMatchObject({ title: 'Too late' });
  });

  it('is not said to have expired by a status that was asked for before', async () => {
    // In its last block, and seen only after that.
    const { rpc } = server({ sendTransaction: () => SIGNATURE, getSignatureStatuses: (turn) => (turn < 7 ? nothing() : confirmed()), getBlockHeight: () => LAST_VALID + 1 });
    expect((await send(rpc)).result).toMatchObject({ title: 'Too late' });
    const late = server({ sendTransaction: () => SIGNATURE, getSignatureStatuses: (turn) => (turn < 6 ? nothing() : confirmed()), getBlockHeight: () => LAST_VALID + 1 });
    expect((await send(late.rpc)).result).toBe(SIGNATURE);
  });

  it('is unknown when nobody says what became of it', async () => {
    for (const getBlockHeight of [down, () => LAST_VALID + 1]) {
      const { rpc } = server({ sendTransaction: (turn) => (turn === 1 ? SIGNATURE : down()), getSignatureStatuses: down, getBlockHeight });
      const { result } = await send(rpc);
      expect(result).toBeInstanceOf(Uncertain);
      expect(result).toMatchObject({ signature: SIGNATURE });
    }
  });

  it('did not happen when the server calls it malformed', async () => {
    const { rpc, turns } = server({
      sendTransaction: () => {
        throw new RpcError(-32_602, 'invalid transaction', null);
      },
      getSignatureStatuses: nothing,
      getBlockHeight: () => 10,
    });
    const { result } = await send(rpc);
    expect(result).not.toBeInstanceOf(Uncertain);
    expect(turns.sendTransaction).toBe(1);
  });

  it('that was executed and failed says why', async () => {
    const { rpc } = server({ sendTransaction: () => SIGNATURE, getSignatureStatuses: () => ({ value: [{ confirmationStatus: 'processed', err: { InstructionError: [2, { Custom: 6023 }] } }] }), getBlockHeight: () => 10 });
    expect((await send(rpc)).result).toMatchObject({ code: 6023 });
  });
});

describe('a notice of what nobody knows', () => {
  it('says so, and where to look', () => {
    notices.all = [{ id: 1, title: 'Buy 1 SOL', detail: new Uncertain(SIGNATURE).detail, stage: 'unknown', signature: SIGNATURE }];
    render(createElement(Notices));
    expect(screen.getByText('Nobody knows whether it happened')).toBeInTheDocument();
    expect(screen.queryByText('Did not happen')).toBeNull();
    expect(screen.getByRole('link', { name: SIGNATURE })).toHaveAttribute('href', `https://explorer.solana.com/tx/${SIGNATURE}?cluster=devnet`);
  });
});
