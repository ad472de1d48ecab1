// Replacing a resting order: it stays what it was.
import './wasm';

import { render, screen } from '@testing-library/react';
import { describe, expect, it, vi } from 'vitest';

import { Orders } from '../src/components/Orders';
import { replacement, wouldTake } from '../src/lib/orders';
import type { AccountInfo, MarketInfo, OpenOrder } from '../src/wasm/ballast_wasm';

const market = { index: 0, symbol: 'SOL', tick: 10n, minLots: 1n, lotExponent: 3 } as unknown as MarketInfo;
const order: OpenOrder = { id: 1n, market: 0, buys: true, price: 1_000n, peg: undefined, standing: 1_000n, lots: 5n, clientId: 7n, expiresAt: 0n, reduceOnly: false };
const change = { limit: 990n, lots: 4n, peg: undefined, take: false };
const resting = vi.hoisted(() => ({ orders: [] as unknown[] }));

vi.mock('../src/hooks/session', () => ({ useSession: () => ({ chain: { markets: () => [] }, run: () => Promise.resolve(true), connected: null }) }));
vi.mock('../src/hooks/chain', () => ({ useMarkets: () => [market], useOrders: () => resting.orders, useLevels: () => null, useAccounts: () => [], useAccount: () => null }));

describe('a replacement', () => {
  it('rests like the order that it replaces, unless it may take', () => {
    expect(replacement(order, market, change)).toMatchObject({ kind: 'postOnly', reduceOnly: false, price: 990n, lots: 4n });
    expect(replacement(order, market, { ...change, take: true }).kind).toBe('limit');
    expect(replacement(order, market, { ...change, peg: -25n }).peg).toBe(-20n);
  });

  it('is said to take when its price meets the other side', () => {
    const level = (price: bigint) => [{ price, lots: 1n, orders: 1 }];
    const levels = { bids: level(1_000n), asks: level(1_010n) };
    expect([1_000n, 1_010n, 1_020n].map((limit) => wouldTake(order, limit, undefined, levels))).toEqual([false, true, true]);
    expect([1_000n, 1_010n].map((limit) => wouldTake({ ...order, buys: false }, limit, undefined, levels))).toEqual([true, false]);
  });

  it('of an order that only reduces only reduces, too', () => {
    expect(replacement({ ...order, reduceOnly: true }, market, change)).toMatchObject({ kind: 'postOnly', reduceOnly: true });
    const account = { owner: 'O', address: 'A', number: 0, positions: [] } as unknown as AccountInfo;
    resting.orders = [order, { ...order, id: 2n, reduceOnly: true }].map((item) => ({ account, item }));
    render(<Orders accounts={[account]} />);
    expect(screen.getAllByRole('button', { name: /^Replace/ })).toHaveLength(2);
    expect(screen.getAllByRole('button', { name: /^Cancel the order/ })).toHaveLength(2);
    expect(screen.getByText('reduces')).toBeInTheDocument();
  });
});
