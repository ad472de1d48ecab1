import './wasm';

import { describe, expect, it } from 'vitest';

import { groupings } from '../src/components/Book';
import { untilFullHour } from '../src/components/MarketBar';
import { hrefOf, parseRoute } from '../src/hooks/route';
import { initialCluster, isLocal, socketOf, stillLinked } from '../src/lib/cluster';
import { indexerBase } from '../src/lib/indexer';
import { onlyExchange } from '../src/lib/chain';
import { candlesOf } from '../src/lib/feed';
import { trouble, troubleOf } from '../src/lib/problems';
import { fromBase64, toBase64 } from '../src/lib/rpc';

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
    expect(initialCluster('?rpc=https://example.org&chain=devnet', empty)).toMatchObject({ chain: 'solana:devnet', name: 'Devnet (own server)' });
    expect(initialCluster('?rpc=https://example.org&chain=nonsense', empty).chain).toBe('solana:mainnet');
    expect(initialCluster('', { getItem: () => 'nonsense' }).name).toBe('Localnet');
  });

  it('are local by the whole name of the host, not by how it begins', () => {
    for (const rpc of ['http://localhost.evil.com:8899', 'http://127.0.0.1.evil.com', 'http://localhost@evil.com']) {
      const cluster = initialCluster(`?rpc=${encodeURIComponent(rpc)}`, empty);
      expect([cluster.name, cluster.chain, isLocal(cluster)]).toEqual(['Mainnet (own server)', 'solana:mainnet', false]);
    }
  });

  it('say which foreign servers a link chose, and none that somebody chose here', () => {
    const linked = (search: string, storage: { getItem: () => string | null } = empty) => initialCluster(search, storage).linked;
    expect(linked('?rpc=http://localhost:1&indexer=http://127.0.0.1:8898')).toBeUndefined();
    expect(linked('?rpc=https://rpc.evil.com')).toEqual(['rpc.evil.com']);
    expect(linked('?rpc=http://localhost:1&ws=wss://ws.evil.com&indexer=https://evil.com:1/v1')).toEqual(['ws.evil.com', 'evil.com:1']);
    expect(linked('?indexer=https://evil.com')).toEqual(['evil.com']);
    const stored = { getItem: () => JSON.stringify({ name: 'Devnet', rpc: 'https://api.devnet.solana.com', ws: 'wss://x', chain: 'solana:devnet' }) };
    expect(linked('', stored)).toBeUndefined();
    const followed = initialCluster('?rpc=https://rpc.evil.com', empty);
    expect(stillLinked(followed).linked).toEqual(['rpc.evil.com']);
    expect(stillLinked({ ...followed, rpc: 'https://mine.org', ws: 'wss://mine.org' }).linked).toBeUndefined();
  });

  it('have an indexer where the address names one', () => {
    expect(initialCluster('?rpc=http://localhost:1234&indexer=http://127.0.0.1:8898', empty).indexer).toBe('http://127.0.0.1:8898/v1');
    expect(initialCluster('?indexer=https://example.org/ballast/v1/', empty).indexer).toBe('https://example.org/ballast/v1');
    expect(initialCluster('?indexer=javascript:alert(1)', empty).indexer).toBeUndefined();
    expect(indexerBase('nonsense')).toBeNull();
    const table = '9WzDXwBbmkg8ZTbNMqUxvQRAyrZzDsGYdLVL9zYtAWWM';
    expect(initialCluster(`?lookup=${table},nonsense`, empty).tables).toEqual([table]);
    expect(initialCluster('', empty).tables).toBeUndefined();
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

  it('of a program that ours calls are that program’s', () => {
    // What the local node said of a deposit of more than the wallet holds.
    const logs = [
      'Program 5WqfobdNy1Pn5RtYcSeoJpAngepb32PTv1LBKinXq5KH invoke [1]',
      'Program log: Instruction: Deposit',
      'Program TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA invoke [2]',
      'Program log: Error: insufficient funds',
      'Program TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA consumed 181 of 193036 compute units',
      'Program TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA failed: custom program error: 0x1',
      'Program 5WqfobdNy1Pn5RtYcSeoJpAngepb32PTv1LBKinXq5KH consumed 7145 of 200000 compute units',
      'Program 5WqfobdNy1Pn5RtYcSeoJpAngepb32PTv1LBKinXq5KH failed: custom program error: 0x1',
    ];
    expect(troubleOf({ InstructionError: [1, { Custom: 1 }] }, logs, program)).toMatchObject({ title: 'Not enough tokens', code: 1 });
    // The same number of ours, and of one that only logs that another failed.
    const other = logs.map((line) => line.replaceAll('TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA', '9WzDXwBbmkg8ZTbNMqUxvQRAyrZzDsGYdLVL9zYtAWWM'));
    expect(troubleOf({ InstructionError: [1, { Custom: 6023 }] }, other, program).title).toBe('Refused');
    const claimed = ['Program log: Program TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA failed: custom program error: 0x1', `Program ${program} failed: custom program error: 0x1787`];
    expect(troubleOf({ InstructionError: [1, { Custom: 6023 }] }, claimed, program).code).toBe(6023);
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

describe('the exchange of a network', () => {
  it('is chosen by the page only where there is no choice', () => {
    expect(onlyExchange(['A'])).toBe('A');
    expect(() => onlyExchange([])).toThrow('no Ballast exchange');
    // Anybody can found one, and make its address sort before any other.
    expect(() => onlyExchange(['A', 'B'])).toThrow('anybody can found one');
  });
});
