// Lists of the indexer stay current while they are looked at, and are downloaded whole.
import './wasm';

import { act, fireEvent, render, screen, waitFor, within } from '@testing-library/react';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { Download } from '../src/components/Download';
import { History } from '../src/components/history/History';
import { csvOf } from '../src/lib/csv';
import type { Channel, Indexer, Range } from '../src/lib/indexer';
import { InsurancePage } from '../src/pages/Insurance';
import type { AccountInfo, MarketInfo } from '../src/wasm/ballast_wasm';

const market = { index: 0, address: 'M', symbol: 'SOL', lotExponent: 2, insuranceLimit: 1n, insuranceAvailable: 1n, insuranceDrawn: 0n, liquidatedQuote: 0n } as MarketInfo;
const account = { address: 'A', number: 0, positions: [] } as unknown as AccountInfo;

/** An indexer with one list, whose news the test brings. */
class Fake {
  rows: { id: string }[] = [];
  asked: [string, Range][] = [];
  listeners = new Map<string, () => void>();
  rollback: (() => void) | undefined;
  list = (path: string, range: Range = {}) => {
    this.asked.push([path, range]);
    const from = range.before ? this.rows.findIndex(({ id }) => id === range.before) + 1 : 0;
    return Promise.resolve(this.rows.slice(from, from + range.limit!));
  };
  subscribe = (channel: Channel, onItem: () => void) => {
    const key = JSON.stringify(channel);
    this.listeners.set(key, onItem);
    return () => this.listeners.delete(key);
  };
  onRollback = (action: () => void) => {
    this.rollback = action;
    return () => (this.rollback = undefined);
  };
}

let fake: Fake;
const state = vi.hoisted(() => ({ chain: {} }));
vi.mock('../src/hooks/session', () => ({ useSession: () => ({ chain: state.chain }) }));
vi.mock('../src/hooks/chain', () => ({ useMarkets: () => [market], useTopic: () => 0 }));

const fill = (id: number) => ({ id: `${id}`, time: id, kind: 'fill', market: 'M', side: 'long', lots: `${id}`, price: '100', maker: false, cause: 'taker' });
const entry = (id: number) => ({ id: `${id}`, time: id, kind: 'funded', market: null, amount: `${id}`, balance: `${id}` });

beforeEach(() => {
  fake = new Fake();
  state.chain = { indexer: fake, exchange: () => ({ insurance: '' }) };
});
afterEach(() => {
  vi.useRealTimers();
});

const count = (): number => within(screen.getByTestId('history')).getAllByRole('row').length - 1;

describe('a history', () => {
  it('shows what happens while it is open, asking once for what comes together', async () => {
    fake.rows = [fill(1)];
    render(<History account={account} />);
    await waitFor(() => expect(count()).toBe(1));
    const [news] = [...fake.listeners.values()];
    expect([...fake.listeners.keys()]).toEqual(['{"subscribe":"account","account":"A"}']);
    fake.rows = [fill(3), fill(2), fill(1)];
    const asked = fake.asked.length;
    act(() => [1, 2, 3].forEach(() => news!()));
    await waitFor(() => expect(count()).toBe(3));
    expect(fake.asked).toHaveLength(asked + 1);
  });

  it('takes back what the indexer took back, and listens to one list at a time', async () => {
    fake.rows = [fill(2), fill(1)];
    const { unmount } = render(<History account={account} />);
    await waitFor(() => expect(count()).toBe(2));
    fake.rows = [fill(1)];
    act(() => fake.rollback!());
    await waitFor(() => expect(count()).toBe(1));
    fake.rows = [];
    fireEvent.click(screen.getByRole('button', { name: 'Transfers' }));
    await waitFor(() => expect(fake.asked.at(-1)![0]).toBe('/accounts/A/transfers'));
    expect(fake.listeners.size).toBe(1);
    unmount();
    expect([fake.listeners.size, fake.rollback]).toEqual([0, undefined]);
  });
});

describe('realised profit', () => {
  it('is listed with its fee and its cause, also where the profit is not known', async () => {
    const change = { time: 1, kind: 'position', market: 'M', cash: '0', basis: '0' };
    fake.rows = [
      { ...change, id: '2', cause: 'deleveraged', base: '150', fee: '0', realised: '-2500000', lots: '-50' },
      { ...change, id: '1', cause: 'taker', base: '-200', fee: '123400', realised: null, lots: '-200' },
    ] as never;
    render(<History account={account} />);
    fireEvent.click(screen.getByRole('button', { name: 'Profit' }));
    await waitFor(() => expect(fake.asked.at(-1)![0]).toBe('/accounts/A/realised'));
    await waitFor(() => expect(count()).toBe(2));
    const rows = within(screen.getByTestId('history')).getAllByRole('row').slice(1);
    expect(rows.map((row) => within(row).getAllByRole('cell').slice(1).map(({ textContent }) => textContent))).toEqual([
      ['SOL', 'reduced for another’s bankruptcy', 'buy', '1.5', '0.00', '−2.50', '−0.5'],
      ['SOL', 'own order, taken', 'sell', '2', '0.1234', 'not known', '−2'],
    ]);
  });
});

describe('insurance’s history', () => {
  it('is read again and again', async () => {
    vi.useFakeTimers({ shouldAdvanceTime: true });
    fake.rows = [entry(1)];
    render(<InsurancePage />);
    const rows = () => within(screen.getByRole('region', { name: 'Income and payments, newest first' })).getAllByRole('row').length - 1;
    await waitFor(() => expect(rows()).toBe(1));
    fake.rows = [entry(2), entry(1)];
    await act(() => vi.advanceTimersByTimeAsync(10_000));
    await waitFor(() => expect(rows()).toBe(2));
  });
});

describe('a download', () => {
  const saved: Blob[] = [];
  beforeEach(() => {
    saved.length = 0;
    vi.stubGlobal('URL', Object.assign(URL, { createObjectURL: (blob: Blob) => (saved.push(blob), 'blob:x'), revokeObjectURL: () => undefined }));
    vi.spyOn(HTMLAnchorElement.prototype, 'click').mockImplementation(() => undefined);
  });

  it('has all rows, however many there are', async () => {
    fake.rows = Array.from({ length: 2_345 }, (_, at) => fill(2_345 - at));
    render(<Download indexer={fake as unknown as Indexer} path="/p" name="fills.csv" />);
    fireEvent.click(screen.getByRole('button', { name: 'CSV' }));
    await waitFor(() => expect(saved).toHaveLength(1));
    const lines = (await saved[0]!.text()).trim().split('\n');
    expect(lines[0]).toBe('id,time,kind,cause,lots,maker,market,price,side');
    expect(lines).toHaveLength(2_346);
    expect(new Set(lines).size).toBe(2_346);
    expect(fake.asked.map(([, { before }]) => before)).toEqual([undefined, '1346', '346']);
  });

  it('is not saved when it is not complete, and says so', async () => {
    fake.rows = Array.from({ length: 1_500 }, (_, at) => fill(1_500 - at));
    const list = (path: string, range: Range) => (range.before ? Promise.reject(new Error('busy')) : fake.list(path, range));
    render(<Download indexer={{ list } as unknown as Indexer} path="/p" name="fills.csv" />);
    fireEvent.click(screen.getByRole('button', { name: 'CSV' }));
    await screen.findByText('Not complete, so not saved: busy.');
    expect(saved).toEqual([]);
  });

  it('quotes what has to be, and has the columns of all rows', () => {
    expect(csvOf([{ id: '1', b: 'x,"y"' }, { id: '2', a: [{ k: 1 }], b: null }])).toBe('id,a,b\n1,,"x,""y"""\n2,"[{""k"":1}]",\n');
  });
});
