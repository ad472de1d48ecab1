// What an owner does with accounts, and what everybody is told before acting.
import './wasm';

import { fireEvent, render, screen, waitFor, within } from '@testing-library/react';
import { beforeEach, describe, expect, it, vi } from 'vitest';

import { Banners } from '../src/components/Banners';
import {
  getCloseMarginAccountInstructionDataDecoder,
  getDepositInstructionDataDecoder,
  getOpenMarginAccountInstructionDataDecoder,
  getSetDelegateInstructionDataDecoder,
} from '../src/generated';
import { AccountPage } from '../src/pages/Account';
import type { AccountInfo, MarketInfo } from '../src/wasm/ballast_wasm';

const OWNER = '9WzDXwBbmkg8ZTbNMqUxvQRAyrZzDsGYdLVL9zYtAWWM';
const DELEGATE = 'SysvarC1ock11111111111111111111111111111111';
const NOBODY = '11111111111111111111111111111111';
const KEYS = ['5WqfobdNy1Pn5RtYcSeoJpAngepb32PTv1LBKinXq5KH', 'TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA', DELEGATE];

const market = { index: 0, symbol: 'SOL', status: 'active', oracleTime: 100n } as MarketInfo;
const account = (more: Partial<AccountInfo> = {}) =>
  ({
    ...{ number: 0, address: KEYS[0], owner: OWNER, equity: 5n, initialEquity: 5n, initial: 0n, maintenance: 0n, notional: 0n, settled: 5n, unsettled: 0n },
    ...{ profit: 0n, withdrawable: 5n, stage: 'healthy', positions: [], ladder: { rungs: [] } },
    ...more,
  }) as unknown as AccountInfo;

interface Built {
  data: Uint8Array;
  accounts: { address: string }[];
}
const state = vi.hoisted(() => ({ accounts: [] as unknown[], own: true, ran: [] as [string, unknown[]][], set: [] as number[], exchange: {}, connection: 'open', down: false }));
vi.mock('../src/components/history/History', () => ({ History: () => null }));
vi.mock('../src/components/Entrusted', () => ({ Entrusted: () => null, Dismissed: () => null }));
vi.mock('../src/hooks/session', () => ({
  useSession: () => ({
    chain: { markets: () => [market], exchange: () => state.exchange, cluster: {}, indexerDown: () => state.down, addresses: () => KEYS },
    own: state.own,
    connected: { account: { address: OWNER } },
    setAccount: (number: number) => state.set.push(number),
    run: async (title: string, build: () => Promise<unknown[]>) => {
      state.ran.push([title, await build()]);
      return true;
    },
  }),
}));
vi.mock('../src/hooks/chain', () => ({
  useMarkets: () => [market],
  useNow: () => 130,
  useStatus: () => ({ connection: state.connection, phase: 'ready' }),
  useFunds: () => ({ lamports: 1n, tokens: 900_000_000n }),
  useAccounts: () => state.accounts,
  useAccount: () => state.accounts[0] ?? null,
  useChosen: () => 0,
  useOrders: () => [],
  useTriggers: () => [],
}));

beforeEach(() => {
  Object.assign(state, { accounts: [account()], own: true, ran: [], set: [], connection: 'open', down: false });
  state.exchange = { address: KEYS[0], quoteMint: KEYS[1], vault: KEYS[1] };
  HTMLDialogElement.prototype.showModal = function showModal() {
    this.open = true;
  };
});

const ran = async (): Promise<{ title: string; built: Built[] }> => {
  await waitFor(() => expect(state.ran).toHaveLength(1));
  const [title, built] = state.ran[0]!;
  return { title, built: built as Built[] };
};

describe('a delegate', () => {
  const region = () => within(screen.getByRole('region', { name: 'Delegate' }));

  it('is named by an address, and nothing else', async () => {
    render(<AccountPage />);
    const field = region().getByLabelText('Address of the delegate');
    fireEvent.change(field, { target: { value: 'no address' } });
    expect(region().getByRole('button', { name: 'Name' })).toBeDisabled();
    fireEvent.change(field, { target: { value: ` ${DELEGATE} ` } });
    fireEvent.click(region().getByRole('button', { name: 'Name' }));
    const { built } = await ran();
    expect(getSetDelegateInstructionDataDecoder().decode(built[0]!.data).delegate).toBe(DELEGATE);
    await waitFor(() => expect(field).toHaveValue(''));
  });

  it('is shown, and removed', async () => {
    state.accounts = [account({ delegate: DELEGATE })];
    render(<AccountPage />);
    expect(region().getByText(DELEGATE)).toBeInTheDocument();
    fireEvent.click(region().getByRole('button', { name: 'Remove' }));
    expect(getSetDelegateInstructionDataDecoder().decode((await ran()).built[0]!.data).delegate).toBe(NOBODY);
  });

  it('sees nothing of what only owners do', () => {
    state.own = false;
    render(<AccountPage />);
    for (const name of ['Withdraw', '+ New account', 'Name', 'Close account 1']) expect(screen.queryByRole('button', { name })).toBeNull();
  });
});

describe('an account', () => {
  it('is closed when it is empty, and not before', async () => {
    const { unmount } = render(<AccountPage />);
    expect(screen.getByRole('button', { name: 'Close account 1' })).toBeDisabled();
    unmount();
    state.accounts = [account({ settled: 0n, equity: 0n, withdrawable: 0n })];
    render(<AccountPage />);
    fireEvent.click(screen.getByRole('button', { name: 'Close account 1' }));
    const { title, built } = await ran();
    expect(title).toBe('Close account 1');
    expect(built).toHaveLength(1);
    expect(() => getCloseMarginAccountInstructionDataDecoder().decode(built[0]!.data)).not.toThrow();
  });

  it('is opened beside the first with a deposit, and chosen then', async () => {
    render(<AccountPage />);
    fireEvent.click(screen.getByRole('button', { name: '+ New account' }));
    expect(screen.getByText('Open account 2')).toBeInTheDocument();
    fireEvent.change(screen.getByLabelText('Dollars'), { target: { value: '250.5' } });
    fireEvent.submit(screen.getByLabelText('Dollars'));
    const { title, built } = await ran();
    expect(title).toBe('Deposit 250.50 into account 2');
    expect(getOpenMarginAccountInstructionDataDecoder().decode(built[0]!.data).number).toBe(1);
    expect(getDepositInstructionDataDecoder().decode(built[1]!.data).amount).toBe(250_500_000n);
    await waitFor(() => expect(state.set).toEqual([1]));
  });

  it('that is there takes a deposit without being chosen anew', async () => {
    render(<AccountPage />);
    fireEvent.click(screen.getByRole('button', { name: 'Deposit' }));
    fireEvent.change(screen.getByLabelText('Dollars'), { target: { value: '1' } });
    fireEvent.submit(screen.getByLabelText('Dollars'));
    expect((await ran()).built).toHaveLength(1);
    expect(state.set).toEqual([]);
  });
});

describe('banners', () => {
  const shown = (more: Partial<MarketInfo> = {}, page: 'trade' | 'account' = 'trade'): string[] => {
    const { unmount } = render(<Banners market={{ ...market, ...more }} page={page} />);
    const texts = screen.queryAllByRole('alert').map(({ textContent }) => textContent);
    unmount();
    return texts;
  };
  const problem = (name: string, message: string) => ({ code: 1, name, message });

  it('say nothing when all is well', () => {
    expect(shown()).toEqual([]);
  });

  it('say that a market is paused or only reduces, where it is traded', () => {
    expect(shown({ status: 'paused' })).toEqual(['SOL is paused: no orders are taken.']);
    expect(shown({ status: 'reduceOnly' })).toEqual(['SOL takes only orders that reduce.']);
    expect(shown({ status: 'paused' }, 'account')).toEqual([]);
  });

  it('say that the price is stale, how old it is, and whether reducing is possible', () => {
    const openRefusal = problem('OracleStale', 'The price is too old');
    expect(shown({ openRefusal })).toEqual(['SOL: The price is too old. Reducing is possible. The last price is 30 s old.']);
    expect(shown({ openRefusal, reduceRefusal: openRefusal })).toEqual(['SOL: The price is too old. Not even reducing is possible now. The last price is 30 s old.']);
  });

  it('say what the exchange has paused, and what is out of reach', () => {
    state.exchange = { depositsPaused: true, withdrawalsPaused: true };
    Object.assign(state, { connection: 'lost', down: true });
    expect(shown()).toEqual([
      expect.stringContaining('The connection is lost'),
      expect.stringContaining('The indexer does not answer'),
      'Deposits are paused.',
      'Withdrawals are paused.',
    ]);
  });
});
