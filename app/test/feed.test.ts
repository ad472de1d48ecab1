// What the page hears: its own markets, not all of the program's.
import './wasm';

import { describe, expect, it } from 'vitest';

import { ChainFeed } from '../src/lib/feed';
import { ForcedFeed } from '../src/lib/forced';
import type { Rpc } from '../src/lib/rpc';
import { Topics } from '../src/lib/topics';

const PROGRAM = '5WqfobdNy1Pn5RtYcSeoJpAngepb32PTv1LBKinXq5KH';

function network() {
  const mentions: string[] = [];
  const ended: string[] = [];
  const subscribe = (_: string, params: unknown[]): (() => void) => {
    const [{ mentions: [address] }] = params as [{ mentions: [string] }];
    mentions.push(address);
    return () => ended.push(address);
  };
  const rpc = { call: () => Promise.resolve([]), batch: () => Promise.resolve([]) } as unknown as Rpc;
  return { mentions, ended, rpc, socket: { subscribe } };
}

describe('the logs that the page listens to', () => {
  it('are those that name a market that is shown, each once', async () => {
    const { mentions, ended, rpc, socket } = network();
    const feed = new ChainFeed(rpc, socket, new Topics(), () => 0, () => []);
    expect(mentions).toEqual([]);
    await Promise.all([feed.load(0, 'Market0'), feed.load(1, 'Market1'), feed.load(0, 'Market0')]);
    expect(mentions).toEqual(['Market0', 'Market1']);
    feed.close();
    expect(ended).toEqual(mentions);
  });

  it('are missed while a connection is lost, and made up for when it is back', async () => {
    let asked = 0;
    let listening: (() => void) | undefined;
    const subscribe = (_: string, __: unknown, ___: unknown, onListening?: () => void) => {
      listening = onListening;
      return () => undefined;
    };
    const rpc = { call: () => Promise.resolve((asked++, [])) } as unknown as Rpc;
    const feed = new ChainFeed(rpc, { subscribe }, new Topics(), () => 0, () => []);
    await feed.load(0, 'Market0');
    listening?.();
    await feed.load(0, 'Market0');
    expect(asked).toBe(1);
    listening?.();
    await feed.load(0, 'Market0');
    expect(asked).toBe(2);
    feed.close();
  });

  it('are, for forced reductions, those that name any of the markets, never the whole program', () => {
    const { mentions, ended, rpc, socket } = network();
    const feed = new ForcedFeed(rpc, socket, ['Market0', 'Market1'], new Topics(), () => 0, () => ({ forced: [], booked: [] }), () => [], { forced: () => undefined, booked: () => undefined });
    expect(mentions).toEqual(['Market0', 'Market1']);
    expect(mentions).not.toContain(PROGRAM);
    feed.close();
    expect(ended).toEqual(mentions);
  });
});
