// What the page says of a transaction while the server fails: it keeps trying until the transaction cannot happen any more, and
// never says that something did not happen unless it knows.
import './wasm';

import { AccountRole, address, getAddressDecoder, getAddressEncoder, getBase58Decoder, type Instruction } from '@solana/kit';
import { render, screen } from '@testing-library/react';
import { createElement } from 'react';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { Notices } from '../src/components/Notices';
import { RpcError, Unreachable, type Rpc } from '../src/lib/rpc';
import { withdraw } from '../src/lib/actions';
import { placeOrder } from '../src/lib/orders';
import { MOST_BYTES, Uncertain, compile, transact, type Stage } from '../src/lib/send';
import { loadTables, tableAddresses, type Tables } from '../src/lib/tables';
import type { AccountInfo, ExchangeInfo, MarketInfo, OrderInput } from '../src/wasm/ballast_wasm';

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

async function send(rpc: Rpc, instructions: readonly Instruction[] = [instruction], tables: Tables = {}) {
  const stages: [Stage, string | undefined][] = [];
  const ended = transact({ rpc, program: PROGRAM, tables }, signer, instructions, (stage, signature) => stages.push([stage, signature])).catch((error: unknown) => error);
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

describe('an account in many markets', () => {
  const key = (number: number) => getAddressDecoder().decode(new Uint8Array(32).fill(number, 1).fill(3, 0, 1));
  const markets = Array.from({ length: 16 }, (_, index) => {
    const [market, book, ranks] = [0, 1, 2].map((part) => key(10 + 3 * index + part));
    return { index, address: market, book, ranks } as unknown as MarketInfo;
  });
  const exchange = { address: key(1), vault: key(2), quoteMint: key(3) } as unknown as ExchangeInfo;
  const account = (count: number) => ({ address: key(9), owner: OWNER, positions: markets.slice(0, count).map(({ index }) => ({ market: index })) }) as unknown as AccountInfo;
  const order = { market: 0, buys: true, kind: 'limit', price: 1n, lots: 1n, reduceOnly: false, maxMakers: 64, peg: 5n } as OrderInput;
  const table = { [key(250)]: [key(1), key(2), key(3), ...markets.flatMap(({ address: own, book, ranks }) => [own, book, ranks].map((one) => address(one)))] } as Tables;
  const built = (instructions: readonly Instruction[], tables: Tables) => compile(OWNER, instructions, '11111111111111111111111111111111', tables);

  it('orders and withdraws in one transaction, with a lookup table where it is too large without', async () => {
    const all = account(16);
    for (const instructions of [[placeOrder(markets, all, OWNER, order)], await withdraw(exchange, markets, all, 1n)]) {
      expect(() => built(instructions, {})).toThrow('Too large for one transaction');
      expect(built(instructions, table).length).toBeLessThanOrEqual(MOST_BYTES);
    }
  });

  it('is not sent through a table where it fits without', () => {
    const few = [placeOrder(markets, account(3), OWNER, order)];
    expect(built(few, table)).toEqual(built(few, {}));
  });

  it('is told in plain words before anything is signed or asked', async () => {
    const { rpc } = server({ sendTransaction: down, getSignatureStatuses: down, getBlockHeight: down });
    const { result, stages } = await send(rpc, [placeOrder(markets, account(16), OWNER, order)]);
    expect(result).toMatchObject({ title: 'Too large for one transaction' });
    expect((result as Error).message).toContain('lookup=');
    expect(stages.map(([stage]) => stage)).toEqual(['checking', 'failed']);
    const { result: confirmedNow } = await send(server({ sendTransaction: () => SIGNATURE, getSignatureStatuses: confirmed, getBlockHeight: () => 1 }).rpc, [placeOrder(markets, account(16), OWNER, order)], table);
    expect(confirmedNow).toBe(SIGNATURE);
  });

  it('has tables read as they are on the network, unless they were given up', async () => {
    const data = new Uint8Array(56 + 64);
    const view = new DataView(data.buffer);
    view.setUint32(0, 1, true);
    view.setBigUint64(4, 0xffff_ffff_ffff_ffffn, true);
    data.set(getAddressEncoder().encode(key(7)), 56);
    data.set(getAddressEncoder().encode(key(8)), 88);
    expect(tableAddresses(data)).toEqual([key(7), key(8)]);
    const owner = 'AddressLookupTab1e1111111111111111111111111';
    const rpc = { accounts: () => Promise.resolve([{ data, owner }, null, { data, owner: PROGRAM }]) } as unknown as Rpc;
    expect(await loadTables(rpc, [key(250), key(251), key(252)])).toEqual({ [key(250)]: [key(7), key(8)] });
    view.setBigUint64(4, 5n, true);
    expect(tableAddresses(data)).toEqual([]);
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
