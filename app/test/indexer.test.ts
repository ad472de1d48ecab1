// @vitest-environment node
// The indexer's client and feed against a server that speaks its interface.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';

import type { MarketFeed, Trade } from '../src/lib/feed';
import { IndexedFeed } from '../src/lib/indexedFeed';
import { Indexer, IndexerError, indexerBase } from '../src/lib/indexer';
import { Topics } from '../src/lib/topics';

const MARKET = 'Market1111';
const candle = (time: number, close: string) => ({ time, open: '100', high: '110', low: '90', close, lots: '7', quote: '700', trades: 2 });
const trade = (id: string, signature: string, time: number) => ({ id, signature, slot: 1, time, price: '100', lots: '5', taker_side: 'short', maker: null, taker: 'T', forced: true });

let server: Server;
let sockets: WebSocketServer;
let asked: string[] = [];
/** What the server has at the moment. */
let trades: unknown[] = [];
let candles: unknown[] = [];
/** Whether it fails at everything. */
let broken = false;

function base(): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

beforeAll(async () => {
  vi.stubGlobal('document', { visibilityState: 'hidden' });
  // A browser's socket does not throw when it cannot connect.
  vi.stubGlobal('WebSocket', class extends WebSocket {
    constructor(url: string) {
      super(url);
      this.on('error', () => undefined);
    }
  });
  server = createServer(({ url = '' }, response) => {
    asked.push(url);
    const { pathname } = new URL(url, 'http://x');
    const answers: Record<string, unknown> = {
      [`/v1/markets/${MARKET}/trades`]: trades,
      [`/v1/markets/${MARKET}/candles`]: candles,
    };
    const answer = broken ? undefined : answers[pathname];
    response.statusCode = answer ? 200 : 404;
    response.end(JSON.stringify(answer ?? { error: 'There is no such thing.' }));
  });
  sockets = new WebSocketServer({ server, path: '/v1/stream' });
  sockets.on('connection', (socket) => socket.on('message', (data: Buffer) => asked.push(data.toString())));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});

beforeEach(() => {
  asked = [];
  trades = [trade('2-0-0', 'new', 20), trade('1-0-0', 'old', 10)];
  candles = [candle(60, '105'), candle(120, '106')];
});
afterAll(() => {
  sockets.close();
  server.close();
  vi.unstubAllGlobals();
});

const recent: Trade = { id: 'new-0-0', price: 1n, lots: 1n, bought: true, cause: 'taker', time: 21 };
const logs: MarketFeed = { trades: () => [recent], candles: () => [], load: () => Promise.resolve(), close: () => undefined };

describe('the indexer', () => {
  it('answers in its own words when it refuses, and is told from silence', async () => {
    const indexer = new Indexer(indexerBase(base())!);
    await expect(indexer.list('/nowhere')).rejects.toThrow('There is no such thing.');
    await expect(new Indexer('http://127.0.0.1:1/v1').status()).rejects.toMatchObject({ status: 0 } satisfies Partial<IndexerError>);
  });

  it('gives trades before those of the logs, and none twice', async () => {
    const feed = new IndexedFeed(new Indexer(indexerBase(base())!), logs, new Topics());
    await feed.load(0, MARKET);
    await expect.poll(() => feed.trades(0).map(({ id }) => id)).toEqual(['new-0-0', '1-0-0']);
    expect(feed.trades(0)[1]).toMatchObject({ bought: false, cause: 'liquidation', price: 100n, lots: 5n });
    expect(feed.state).toBe('up');
    feed.close();
  });

  it('gives bars, and the last one as it changes', async () => {
    const feed = new IndexedFeed(new Indexer(indexerBase(base())!), logs, new Topics());
    await feed.load(0, MARKET);
    await expect.poll(() => feed.candles(0, 60).map(({ close }) => close)).toEqual([105n, 106n]);
    await expect.poll(() => asked.some((text) => text.includes('"candles"') && text.includes('60'))).toBe(true);
    for (const socket of sockets.clients) socket.send(JSON.stringify({ channel: 'candles', market: MARKET, interval: 60, data: candle(120, '108') }));
    await expect.poll(() => feed.candles(0, 60).at(-1)?.close).toBe(108n);
    for (const socket of sockets.clients) socket.send(JSON.stringify({ channel: 'candles', market: MARKET, interval: 300, data: candle(300, '1') }));
    expect(feed.candles(0, 60)).toHaveLength(2);
    feed.close();
  });

  it('takes back what the network dropped: its trades and bars are read anew', async () => {
    const feed = new IndexedFeed(new Indexer(indexerBase(base())!), { ...logs, trades: () => [] }, new Topics());
    await feed.load(0, MARKET);
    await expect.poll(() => feed.candles(0, 60).map(({ close }) => close)).toEqual([105n, 106n]);
    await expect.poll(() => feed.trades(0).map(({ id }) => id)).toEqual(['2-0-0', '1-0-0']);
    await expect.poll(() => asked.some((text) => text.includes('"candles"'))).toBe(true);
    trades = [trade('1-0-0', 'old', 10)];
    candles = [candle(60, '105')];
    for (const socket of sockets.clients) socket.send(JSON.stringify({ channel: 'rollback', slot: 2 }));
    await expect.poll(() => feed.trades(0).map(({ id }) => id)).toEqual(['1-0-0']);
    await expect.poll(() => feed.candles(0, 60).map(({ close }) => close)).toEqual([105n]);
    feed.close();
  });

  it('is missed when it dies while the page is open, and found again when it is back', async () => {
    const port = (server.address() as AddressInfo).port;
    const own: MarketFeed = { ...logs, candles: () => [{ time: 180, open: 1n, high: 1n, low: 1n, close: 7n, volume: 0n }] };
    const topics = new Topics();
    const feed = new IndexedFeed(new Indexer(indexerBase(base())!, 200), own, topics, 100);
    const shown = (): bigint[] => feed.candles(0, 60).map(({ close }) => close);
    await feed.load(0, MARKET);
    await expect.poll(shown).toEqual([105n, 106n]);
    await expect.poll(() => sockets.clients.size).toBe(1);
    expect(feed.state).toBe('up');
    let told = 0;
    topics.subscribe('status', () => told++);

    for (const socket of sockets.clients) socket.terminate();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    expect(feed.state).toBe('up');
    await expect.poll(() => feed.state).toBe('down');
    expect(shown()).toEqual([7n]);
    expect(feed.trades(0).map(({ id }) => id)).toEqual(['new-0-0', '1-0-0']);
    await expect.poll(() => told).toBe(1);

    candles = [candle(120, '106'), candle(180, '109')];
    trades = [trade('3-0-0', 'newer', 30)];
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    await expect.poll(() => feed.state, { timeout: 5_000 }).toBe('up');
    await expect.poll(shown).toEqual([105n, 106n, 109n]);
    await expect.poll(() => feed.trades(0).map(({ id }) => id)).toEqual(['3-0-0', 'new-0-0']);
    feed.close();
  });

  it('is down, too, when it is heard but its lists fail, until they can be read', async () => {
    const feed = new IndexedFeed(new Indexer(indexerBase(base())!, 200), logs, new Topics(), 50);
    broken = true;
    await feed.load(0, MARKET);
    await expect.poll(() => feed.state).toBe('down');
    broken = false;
    await expect.poll(() => feed.state).toBe('up');
    expect(feed.trades(0)).toHaveLength(2);
    feed.close();
  });

  it('is told what is no longer listened to', async () => {
    const indexer = new Indexer(indexerBase(base())!);
    const stops = [1, 2].map(() => indexer.subscribe({ subscribe: 'account', account: 'A' }, () => undefined));
    await expect.poll(() => asked).toContain('{"subscribe":"account","account":"A"}');
    stops[0]!();
    stops[0]!();
    await expect(fetch(base())).resolves.toBeDefined();
    expect(asked.join()).not.toContain('unsubscribe');
    stops[1]!();
    await expect.poll(() => asked).toContain('{"unsubscribe":"account","account":"A"}');
    indexer.close();
  });

  it('is not needed: while it is down the logs are all there is, and that is said', async () => {
    const feed = new IndexedFeed(new Indexer('http://127.0.0.1:1/v1'), logs, new Topics());
    await feed.load(0, MARKET);
    await expect.poll(() => feed.state).toBe('down');
    expect(feed.trades(0)).toEqual([recent]);
    feed.close();
  });
});
