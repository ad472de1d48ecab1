// An owner hears at once of every forced reduction of the accounts that are shown, once, and without an indexer finds the receipts of
// what deleveragings of others took.
import './wasm';

import { render, screen, waitFor } from '@testing-library/react';
import { beforeEach, describe, expect, it, vi } from 'vitest';

import { FromNode } from '../src/components/history/History';
import { Notices } from '../src/components/Notices';
import { Alarms, type Alarm } from '../src/lib/alarms';
import { ForcedFeed, type Booked, type Forced } from '../src/lib/forced';
import type { Rpc } from '../src/lib/rpc';
import { Topics } from '../src/lib/topics';
import type { AccountInfo, MarketInfo } from '../src/wasm/ballast_wasm';

const market = { index: 0, symbol: 'SOL', lotExponent: 2 } as MarketInfo;
const account = (number: number, deleveraged: bigint, deleveragedCash: bigint) =>
  ({ number, address: `A${number}`, positions: [{ market: 0, lots: -5n, deleveraged, deleveragedCash }] }) as unknown as AccountInfo;
const forced = (of: string, kind = 'liquidation'): Forced => ({ index: 3, kind, market: 0, account: of, long: true, lots: 250n, quote: 250_000_000n, insuranceDrawn: 0n, signature: 'S', time: 5 });
const booked = (of: string, lots: bigint, cash: bigint): Booked => ({ index: 1, market: 0, account: of, long: false, lots, cash, signature: `S${lots}`, time: 6 });

const state = vi.hoisted((): { notices: unknown[]; feed: unknown } => ({ notices: [], feed: null }));
vi.mock('../src/hooks/session', () => ({ useSession: () => ({ notices: state.notices, dismiss: () => undefined, cluster: {}, chain: { forced: state.feed } }) }));
vi.mock('../src/hooks/chain', () => ({ useMarkets: () => [market], useTopic: () => 0 }));

describe('alarms', () => {
  let accounts: AccountInfo[];
  let heard: Alarm[];
  let alarms: Alarms;
  let now: number;
  /** Looks, and again when what it saw has lasted. */
  const look = () => {
    alarms.look();
    now += 2_000;
    alarms.look();
  };
  beforeEach(() => {
    now = 0;
    [accounts, heard] = [[account(0, 0n, 0n), account(1, 40n, -40_000_000n)], []];
    alarms = new Alarms(() => accounts, () => [market], (alarm) => heard.push(alarm), () => now);
    alarms.look();
  });

  it('are raised for what is done to the accounts that are shown, with the way to its explanation', () => {
    ['liquidation', 'takeover', 'deleveraging'].forEach((kind) => alarms.forced(forced('A1', kind)));
    alarms.forced(forced('SomebodyElse'));
    expect(heard.map(({ title }) => title)).toEqual(['SOL: account 2 was liquidated', 'SOL: account 2 was liquidated', 'SOL: account 2 was bankrupt']);
    expect(heard[0]).toMatchObject({ detail: '2.5 SOL of its long were closed on the book at 100.0000.', why: { signature: 'S', event: 3 } });
    expect(heard[1]!.detail).toContain('taken over');
  });

  it('are raised when a deleveraging takes of a position, with the lots and the cash, not again when it is booked', () => {
    look();
    expect(heard).toEqual([]);
    accounts = [account(0, 100n, -100_000_000n), account(1, 40n, -40_000_000n)];
    look();
    look();
    expect(heard).toHaveLength(1);
    expect(heard[0]).toMatchObject({ title: 'SOL: account 1 was reduced for another’s bankruptcy', detail: '1 SOL were taken of its position. It paid 100.00, 100.0000 each.' });
    accounts = [account(0, 0n, 0n)];
    look();
    alarms.booked(booked('A0', 100n, -100_000_000n));
    expect(heard).toHaveLength(1);
    // The next time is heard again.
    accounts = [account(0, 7n, -7_000_000n)];
    look();
    expect(heard.at(-1)!.detail).toContain('0.07 SOL');
  });

  it('are not raised by what lasts for a moment, while an account and its index arrive one after the other', () => {
    accounts = [account(0, 500n, 0n)];
    alarms.look();
    accounts = [account(0, 0n, 0n)];
    now += 400;
    alarms.look();
    look();
    expect(heard).toEqual([]);
  });

  it('are raised with the receipt where the taking was not seen: before the page was opened, or all at once', () => {
    alarms.booked(booked('A1', 40n, -40_000_000n));
    alarms.booked(booked('A0', 5n, 0n));
    alarms.booked(booked('SomebodyElse', 5n, 5n));
    expect(heard.map(({ detail }) => detail)).toEqual(['0.4 SOL were taken of its position. It paid 40.00, 100.0000 each.', '0.05 SOL were taken of its position.']);
  });

  it('of what is under way, unknown or forced are not pushed out by what is over', async () => {
    const { latest } = await vi.importActual<typeof import('../src/hooks/session')>('../src/hooks/session');
    const stages = ['unknown', 'done', 'forced', 'failed', 'confirming', 'info', 'done', 'done'] as const;
    const all = stages.map((stage, id) => ({ id, title: '', detail: '', stage }));
    expect(latest(all).map(({ id }) => id)).toEqual([0, 2, 3, 4, 5, 6, 7]);
    expect(latest(all.slice(0, 4)).map(({ id }) => id)).toEqual([0, 1, 2, 3]);
  });

  it('stay until they are dismissed, and lead to the explanation', () => {
    state.notices = [{ id: 1, title: 'SOL: account 1 was liquidated', detail: '', stage: 'forced', href: '#/why/S/3' }];
    render(<Notices />);
    expect(screen.getByRole('link', { name: 'Why?' })).toHaveAttribute('href', '#/why/S/3');
  });
});

describe('the feed of forced reductions', () => {
  it('tells of what is new, and not of the past that is loaded', async () => {
    const told: unknown[] = [];
    const listener = { forced: (row: Forced) => told.push(row), booked: (row: Booked) => told.push(row) };
    const wire = { slot: 1, blockTime: 5, transaction: { message: { accountKeys: [] } }, meta: { err: null } };
    const rpc = { call: () => Promise.resolve([{ signature: 'S', err: null }]), batch: () => Promise.resolve([wire]) } as unknown as Rpc;
    const rows = { forced: [forced('A0')], booked: [booked('A0', 7n, -7n), booked('Other', 9n, 9n)] };
    const feed = new ForcedFeed(rpc, { subscribe: () => () => undefined }, [], new Topics(), () => 0, () => rows, () => [], listener);
    await feed.load(['A0']);
    expect(told).toEqual([]);
    expect(feed.rows()).toHaveLength(1);
    expect(feed.bookedOf('A0')).toMatchObject([{ lots: 7n, cash: -7n, signature: 'S', time: 5 }]);
    feed.close();
  });

  it('tells what happened to the accounts that are shown while the connection was lost, once, and nothing from before', async () => {
    vi.useFakeTimers();
    const told: unknown[] = [];
    const listener = { forced: (row: Forced) => told.push(row), booked: (row: Booked) => told.push(row) };
    const times: Record<string, number> = { Before: 999, Missed: 1_050 };
    const signed = Object.entries(times).map(([signature, blockTime]) => ({ signature, err: null, blockTime }));
    const asked: string[] = [];
    let down = true;
    const batch = (calls: { method: string; params: [string] }[]) => {
      if (down) return Promise.reject(new Error('down'));
      asked.push(...calls.map(({ params: [first] }) => first));
      return Promise.resolve(calls.map(({ method, params: [first] }) => method === 'getSignaturesForAddress' ? signed : { slot: 1, blockTime: times[first], transaction: { message: { accountKeys: [] } }, meta: { err: null } }));
    };
    const listening: (() => void)[] = [];
    const subscribe = (_: string, __: unknown, ___: unknown, onListening?: () => void) => {
      listening.push(onListening!);
      return () => undefined;
    };
    const call = () => (down ? Promise.reject(new Error('down')) : Promise.resolve(signed));
    const feed = new ForcedFeed({ batch, call } as unknown as Rpc, { subscribe }, ['Market0', 'Market1'], new Topics(), () => 1_000, () => ({ forced: [forced('A0')], booked: [] }), () => ['A0', 'A1'], listener);
    const connect = () => listening.forEach((action) => action());
    connect();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(asked).toEqual([]);
    connect();
    await vi.advanceTimersByTimeAsync(2_500);
    expect(told).toEqual([]);
    down = false;
    // The history that is looked at may be faster: that is no reason not to tell.
    await feed.load(['A0']);
    expect([feed.rows().length, told.length]).toEqual([2, 0]);
    await vi.advanceTimersByTimeAsync(2_500);
    expect(asked).toEqual(['Before', 'Missed', 'A0', 'A1', 'Missed']);
    expect(feed.rows()).toHaveLength(2);
    expect(told).toMatchObject([{ account: 'A0', signature: 'Missed', time: 1_050 }]);
    connect();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(told).toHaveLength(1);
    feed.close();
    vi.useRealTimers();
  });
});

describe('an account’s history without an indexer', () => {
  it('has what was taken for others, booked or waiting, and says that nothing happened only where nothing did', async () => {
    const list = (rows: Booked[]) => ({ rows: () => [forced('Other')], bookedOf: () => rows, load: () => Promise.resolve() });
    state.feed = list([booked('A0', 100n, -100_000_000n)]);
    const { unmount } = render(<FromNode account={account(0, 40n, -40_000_000n)} />);
    expect(screen.getByText('Reduced for another’s bankruptcy')).toBeInTheDocument();
    expect(screen.getAllByRole('row')).toHaveLength(2);
    expect(screen.getByText('short')).toBeInTheDocument();
    expect(screen.getByText(/0.4 SOL were taken/)).toHaveTextContent('booked when the account is next touched');
    expect(screen.queryByText(/has not been reduced/)).toBeNull();
    unmount();
    state.feed = list([]);
    render(<FromNode account={account(0, 0n, 0n)} />);
    await waitFor(() => expect(screen.getByText(/has not been reduced by force/)).toBeInTheDocument());
  });
});
