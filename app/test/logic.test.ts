import './wasm';

import { describe, expect, it } from 'vitest';

import { orderOf, type TicketForm } from '../src/components/Ticket';
import { groupings } from '../src/components/Book';
import { untilFullHour } from '../src/components/MarketBar';
import { hrefOf, parseRoute } from '../src/hooks/route';
import { worstPrice } from '../src/lib/actions';
import { initialCluster, isLocal, socketOf } from '../src/lib/cluster';
import { candlesOf } from '../src/lib/feed';
import { trouble, troubleOf } from '../src/lib/problems';
import { fromBase64, toBase64 } from '../src/lib/rpc';
import type { MarketInfo } from '../src/wasm/ballast_wasm';

const market = {
  index: 0,
  symbol: 'BTC',
  lotExponent: 5,
  tick: 10n,
  minLots: 10n,
  mark: 1_214_000n,
  bandLow: 1_153_300n,
  bandHigh: 1_274_700n,
} as MarketInfo;

const form: TicketForm = {
  buys: true,
  kind: 'market',
  unit: 'usd',
  amount: '12140',
  limit: '',
  slippage: '0.5',
  postOnly: false,
  immediate: false,
  reduceOnly: false,
};

describe('the ticket', () => {
  it('turns dollars into lots at the mark, and slippage into a worst price on the tick', () => {
    expect(orderOf(form, market, 0n)).toMatchObject({ lots: 10_000n, price: 1_220_070n, kind: 'immediateOrCancel' });
    expect(orderOf({ ...form, buys: false }, market, 0n)).toMatchObject({ price: 1_207_930n });
  });

  it('takes dollars at the limit of a limit order', () => {
    const limit = orderOf({ ...form, kind: 'limit', limit: '60700' }, market, 0n);
    expect(limit).toMatchObject({ lots: 20_000n, price: 607_000n, kind: 'limit' });
  });

  it('takes a part of the most that is possible', () => {
    expect(orderOf({ ...form, unit: 'percent', amount: '25' }, market, 4_000n)).toMatchObject({ lots: 1_000n });
    expect(orderOf({ ...form, unit: 'percent', amount: '101' }, market, 4_000n)).toBe('At most 100 per cent.');
  });

  it('rests only where nothing says otherwise', () => {
    const limit = { ...form, kind: 'limit' as const, limit: '121000' };
    expect(orderOf({ ...limit, postOnly: true }, market, 0n)).toMatchObject({ kind: 'postOnly' });
    expect(orderOf({ ...limit, immediate: true }, market, 0n)).toMatchObject({ kind: 'immediateOrCancel' });
    expect(orderOf({ ...limit, reduceOnly: true }, market, 0n)).toMatchObject({ kind: 'immediateOrCancel', reduceOnly: true });
  });

  it('says what is missing', () => {
    expect(orderOf({ ...form, amount: '' }, market, 0n)).toBe('Enter a size.');
    expect(orderOf({ ...form, kind: 'limit', limit: 'x' }, market, 0n)).toBe('Enter a price.');
    expect(orderOf({ ...form, amount: '5' }, market, 0n)).toContain('smallest order');
    expect(orderOf({ ...form, slippage: '80' }, market, 0n)).toContain('Slippage');
  });

  it('never asks for a price outside the band or off the tick', () => {
    expect(worstPrice(market, true, 5_000n)).toBe(1_274_700n);
    expect(worstPrice({ ...market, bandLow: 1_153_301n }, false, 5_000n)).toBe(1_153_310n);
  });
});

describe('bars', () => {
  it('follow the mark, begin where the one before ended, and add volume up', () => {
    const ticks = [10, 11, 14, 16, 21].map((time, at) => ({ time, mark: BigInt(100 + at * (at % 2 ? 1 : -1)) }));
    const trades = [{ id: 'a', price: 1n, lots: 7n, bought: true, cause: 'taker', time: 12 }];
    expect(candlesOf(ticks, trades, 5)).toEqual([
      { time: 10, open: 100n, high: 101n, low: 98n, close: 98n, volume: 7n },
      { time: 15, open: 98n, high: 103n, low: 98n, close: 103n, volume: 0n },
      { time: 20, open: 103n, high: 103n, low: 96n, close: 96n, volume: 0n },
    ]);
  });
});

describe('networks', () => {
  const empty = { getItem: () => null };
  it('come from the page’s address, or are the local one', () => {
    expect(initialCluster('', empty).rpc).toBe('http://127.0.0.1:8899');
    const named = initialCluster('?rpc=http://localhost:1234', empty);
    expect([named.ws, isLocal(named)]).toEqual(['ws://localhost:1235', true]);
    expect(isLocal(initialCluster('?rpc=https://example.org', empty))).toBe(false);
    expect(initialCluster('', { getItem: () => 'nonsense' }).name).toBe('Localnet');
  });

  it('have a socket one port higher, or at the same place', () => {
    expect(socketOf('https://example.org')).toBe('wss://example.org');
  });
});

describe('errors', () => {
  const program = '5WqfobdNy1Pn5RtYcSeoJpAngepb32PTv1LBKinXq5KH';
  it('of the program are in its words, with advice', () => {
    const logs = [`Program ${program} invoke [1]`, `Program ${program} failed: custom program error: 0x1787`];
    const said = troubleOf({ InstructionError: [1, { Custom: 6023 }] }, logs, program);
    expect([said.code, said.title]).toEqual([6023, 'Not enough margin: equity would be below the initial margin']);
    expect(said.detail).toContain('smaller size');
  });

  it('of another program with the same number are not taken for its own', () => {
    const logs = ['Program TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA failed: custom program error: 0x1'];
    expect(troubleOf({ InstructionError: [1, { Custom: 1 }] }, logs, program).title).toBe('Not enough tokens');
  });

  it('of wallets that refuse are no errors of the exchange', () => {
    expect(trouble(new Error('User rejected the request.')).title).toBe('Not signed');
  });
});

describe('small things', () => {
  it('routes survive their addresses', () => {
    expect(parseRoute(hrefOf({ page: 'risk', market: 'AVAX' }))).toEqual({ page: 'risk', market: 'AVAX' });
    expect(parseRoute('#/nowhere')).toEqual({ page: 'trade', market: '' });
  });

  it('base 64 survives', () => {
    const bytes = Uint8Array.from({ length: 256 }, (_, at) => at);
    expect(fromBase64(toBase64(bytes))).toEqual(bytes);
  });

  it('the countdown ends with the hour', () => {
    expect([untilFullHour(3_600), untilFullHour(7_199)]).toEqual(['60:00', '00:01']);
  });

  it('groups prices by tens of the tick, up to a thousandth of the price', () => {
    expect(groupings({ mark: 1_214_000n, tick: 1n })).toEqual([1n, 10n, 100n, 1_000n]);
  });
});
