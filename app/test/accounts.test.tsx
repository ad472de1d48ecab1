// Several margin accounts of one owner: all of them are shown, each row acts on its own, one is traded with and says so.
import './wasm';

import { fireEvent, render, screen, within } from '@testing-library/react';
import { beforeEach, describe, expect, it, vi } from 'vitest';

import { AccountChoice, MoveBack, kindOf } from '../src/components/Accounts';
import { Banners } from '../src/components/Banners';
import { linesOf } from '../src/components/Chart';
import { Orders } from '../src/components/Orders';
import { Positions } from '../src/components/Positions';
import { GoesTo, freeNumber, whyNotIsolated } from '../src/components/ticket/Ticket';
import { getCancelAllInstructionDataDecoder, getCancelOrderInstructionDataDecoder, getTransferCollateralInstructionDataDecoder } from '../src/generated';
import { storedAccount } from '../src/hooks/session';
import { idleAccounts } from '../src/lib/actions';
import { ACCOUNTS, chosenAmong } from '../src/lib/chain';
import type { AccountInfo, MarketInfo, OpenOrder, PositionInfo, TriggerInfo } from '../src/wasm/ballast_wasm';

const KEY = '9WzDXwBbmkg8ZTbNMqUxvQRAyrZzDsGYdLVL9zYtAWWM';
const KEYS = ['5WqfobdNy1Pn5RtYcSeoJpAngepb32PTv1LBKinXq5KH', 'TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA', 'SysvarC1ock11111111111111111111111111111111'];

const market = { index: 0, symbol: 'SOL', address: KEY, book: KEY, ranks: KEY, lotExponent: 3, tick: 1n, mark: 200_000n, status: 'active' } as unknown as MarketInfo;
const position = (lots: bigint) => ({ market: 0, lots, basis: lots * 190_000n, notional: 1n, profit: 5n, funding: 0n, maintenance: 1n, waiting: 0n, orders: 0, liquidationPrice: 150_000n }) as unknown as PositionInfo;
const account = (number: number, more: Partial<AccountInfo> = {}) =>
  ({ number, address: KEYS[number], owner: KEY, equity: 1n, settled: 0n, withdrawable: 0n, stage: 'healthy', positions: [], ladder: { rungs: [] }, ...more }) as unknown as AccountInfo;

const state = vi.hoisted(() => ({ accounts: [] as unknown[], chosen: 0, orders: [] as unknown[], own: true, ran: [] as [string, unknown[]][], set: [] as number[] }));
vi.mock('../src/hooks/session', async (original) => ({
  ...(await original()),
  useSession: () => ({
    chain: { markets: () => [market], exchange: () => ({ address: KEY }), cluster: {}, indexerDown: () => false },
    own: state.own,
    connected: { account: { address: KEY } },
    setAccount: (number: number) => state.set.push(number),
    run: (title: string, build: () => unknown[]) => {
      state.ran.push([title, build()]);
      return Promise.resolve(true);
    },
  }),
}));
vi.mock('../src/hooks/chain', () => ({
  useMarkets: () => [market],
  useNow: () => 0,
  useStatus: () => ({ connection: 'open', phase: 'ready' }),
  useAccounts: () => state.accounts,
  useAccount: () => (state.accounts as AccountInfo[]).find(({ number }) => number === state.chosen) ?? null,
  useOrders: () => state.orders,
  useTriggers: () => [],
}));

beforeEach(() => {
  Object.assign(state, { accounts: [], chosen: 0, orders: [], own: true, ran: [], set: [] });
  localStorage.clear();
});

interface Built {
  data: Uint8Array;
  accounts: { address: string }[];
}
const built = (at = 0): Built[] => state.ran[at]![1] as Built[];

describe('the account that is traded with', () => {
  it('is the one that was chosen, or the first that exists once that is known', () => {
    expect(chosenAmong(2, [true, false, true])).toBe(2);
    expect(chosenAmong(1, [true, undefined, true])).toBe(1);
    expect(chosenAmong(1, [false, false, true])).toBe(2);
    expect(chosenAmong(1, [false, false, false])).toBe(0);
    expect(chosenAmong(1, [])).toBe(1);
  });

  it('is remembered by wallet, and nothing that is no account', () => {
    localStorage.setItem('ballast.account.A', '3');
    localStorage.setItem('ballast.account.B', '99');
    expect([storedAccount('A'), storedAccount('B'), storedAccount('C')]).toEqual([3, 0, 0]);
  });

  it('is chosen among all, which say what they are', () => {
    state.accounts = [account(0), account(1, { positions: [position(5n)] })];
    render(<AccountChoice />);
    const [first, second] = screen.getAllByRole('button');
    expect([first, second].map((button) => button!.textContent)).toEqual(['account 1cross', 'account 2isolated SOL']);
    expect(first).toHaveAttribute('aria-pressed', 'true');
    fireEvent.click(second!);
    expect(state.set).toEqual([1]);
    expect(kindOf(account(1), [market])).toBe('no position');
  });

  it('is named where an order is placed, with the one that an isolated position gets', () => {
    const { rerender } = render(<GoesTo account={account(0)} isolated={null} exists={false} />);
    expect(screen.getByTestId('goes-to')).toHaveTextContent('Goes to account 1.');
    rerender(<GoesTo account={account(0)} isolated={2} exists={false} />);
    expect(screen.getByTestId('goes-to')).toHaveTextContent('Goes to account 3, opened for it, with margin out of account 1.');
  });
});

describe('what several accounts hold', () => {
  it('is listed together, each position with its account', () => {
    const accounts = [account(0, { positions: [position(7n)] }), account(1, { positions: [position(-5n)] })];
    const { rerender } = render(<Positions accounts={accounts} />);
    expect(screen.getAllByRole('row').slice(1).map((row) => within(row).getAllByRole('cell')[0]!.textContent)).toEqual(['SOL longaccount 1', 'SOL shortaccount 2']);
    rerender(<Positions accounts={accounts.slice(0, 1)} />);
    expect(screen.queryByText('account 1')).toBeNull();
  });

  it('says what became of a position that a deleveraging took whole', () => {
    const gone = { ...position(0n), deleveraged: 5_000n, deleveragedCash: -950_000_000n };
    render(<Positions accounts={[account(1, { positions: [gone] })]} />);
    expect(screen.getByText('No positions.')).toBeInTheDocument();
    expect(screen.getByText(/SOL: account 2 was reduced for another’s bankruptcy: 5 SOL were taken of its position. It paid 950.00/)).toBeInTheDocument();
  });

  it('has its orders cancelled for the account that placed them', () => {
    const accounts = [account(0), account(1)];
    const order = (id: bigint) => ({ id, market: 0, buys: true, price: 1n, standing: 1n, lots: 1n, expiresAt: 0n, reduceOnly: false }) as OpenOrder;
    state.orders = [{ account: accounts[0], item: order(7n) }, { account: accounts[1], item: order(7n) }];
    render(<Orders accounts={accounts} />);
    fireEvent.click(screen.getAllByRole('button', { name: /^Cancel the order/ })[1]!);
    expect(getCancelOrderInstructionDataDecoder().decode(built()[0]!.data).orderId).toBe(7n);
    expect(built()[0]!.accounts[1]!.address).toBe(KEYS[1]);
    fireEvent.click(screen.getByRole('button', { name: 'Cancel all' }));
    expect(built(1).map(({ accounts: keys }) => keys[1]!.address)).toEqual([KEYS[0], KEYS[1]]);
    expect(getCancelAllInstructionDataDecoder().decode(built(1)[0]!.data).side).toBe(2);
  });

  it('has lines in the chart that say whose they are', () => {
    const accounts = [account(0, { positions: [position(7n)] }), account(1)];
    const trigger = { id: 3n, market: 0, price: 1n, stop: true } as TriggerInfo;
    const lines = linesOf(accounts, [{ account: accounts[1]!, item: trigger }], 0);
    expect(lines.map(({ name }) => name)).toEqual(['Entry (1)', 'Liquidation (1)', 'Stop (2)']);
    expect(lines[2]!.moves).toEqual({ account: accounts[1], trigger });
    expect(linesOf(accounts.slice(0, 1), [], 0)[0]!.name).toBe('Entry');
  });

  it('warns of each that is in danger, by name', () => {
    state.accounts = [account(0), account(2, { stage: 'takeover' }), account(1, { stage: 'partial' })];
    render(<Banners market={undefined} page="trade" />);
    expect(screen.getAllByRole('alert').map(({ textContent }) => textContent)).toEqual([
      expect.stringContaining('Account 3: Equity is below two thirds'),
      expect.stringContaining('Account 2: Equity is below the maintenance'),
    ]);
  });
});

describe('money in accounts without a position', () => {
  const idle = (number: number) => account(number, { settled: 50_000_000n, withdrawable: 50_000_000n });

  it('goes back to the chosen account, or to the first that is used', () => {
    const [cross, one, two] = [account(0), idle(1), idle(2)];
    expect(idleAccounts([cross, one, two], cross)).toEqual({ idle: [one, two], target: cross });
    expect(idleAccounts([cross, one, two], two)).toEqual({ idle: [one, two], target: cross });
    expect(idleAccounts([one, two], one)).toEqual({ idle: [two], target: one });
    expect(idleAccounts([cross, account(1, { withdrawable: 5n, positions: [position(1n)] })], cross).idle).toEqual([]);
  });

  it('is moved in one transaction', () => {
    state.accounts = [account(0), idle(1), idle(2)];
    render(<MoveBack />);
    fireEvent.click(screen.getByRole('button', { name: 'Move 100.00 back to account 1' }));
    expect(built().map(({ data }) => getTransferCollateralInstructionDataDecoder().decode(data).amount)).toEqual([50_000_000n, 50_000_000n]);
    expect(built().map(({ accounts }) => accounts.slice(2, 4).map(({ address }) => address))).toEqual([[KEYS[1], KEYS[0]], [KEYS[2], KEYS[0]]]);
  });

  it('is not moved by a delegate', () => {
    Object.assign(state, { accounts: [account(0), idle(1)], own: false });
    const { container } = render(<MoveBack />);
    expect(container).toBeEmptyDOMElement();
  });

  it('keeps its number from the next isolated position, which says why there is none', () => {
    const full = Array.from({ length: ACCOUNTS }, (_, number) => idle(number));
    expect(freeNumber(full)).toBeNull();
    expect(whyNotIsolated(true, freeNumber(full))).toContain('move what is left');
    expect(freeNumber([...full.slice(0, 3), account(3), ...full.slice(4)])).toBe(3);
    expect(whyNotIsolated(true, 3)).toBeNull();
    expect(whyNotIsolated(false, null)).toContain('owner');
  });
});
