// What components read of the chain. Each names what it depends on and is rendered again when that changes.
import { useCallback, useEffect, useMemo, useRef, useState, useSyncExternalStore } from 'react';

import type { Candle, Trade } from '../lib/feed';
import type { Funds } from '../lib/chain';
import type { AccountInfo, IndexInfo, Levels, MarketInfo, OpenOrder, TriggerInfo } from '../wasm/ballast_wasm';
import { useSession } from './session';

/** The version of a topic, which changes with it. */
export function useTopic(topic: string): number {
  const { topics } = useSession().chain;
  const subscribe = useCallback((listener: () => void) => topics.subscribe(topic, listener), [topics, topic]);
  return useSyncExternalStore(subscribe, () => topics.version(topic));
}

/**
 * What `compute` gives, computed anew when one of `causes` changed: the versions of topics among them, which `compute` does
 * not mention, because it asks the chain as it is.
 */
export function useDerived<T>(causes: readonly unknown[], compute: () => T): T {
  // eslint-disable-next-line react-hooks/exhaustive-deps, react-hooks/use-memo
  return useMemo(compute, causes);
}

/** A value that changes at most once in so many milliseconds: for what costs more than a frame has. */
export function usePaced<T>(value: T, everyMs: number): T {
  const [shown, setShown] = useState(value);
  const changedAt = useRef(0);
  useEffect(() => {
    const left = changedAt.current + everyMs - performance.now();
    const timer = setTimeout(() => {
      changedAt.current = performance.now();
      setShown(value);
    }, Math.max(left, 0));
    return () => clearTimeout(timer);
  }, [value, everyMs]);
  return shown;
}

/** How far the page has come, and whether updates are coming in. */
export function useStatus() {
  const { chain } = useSession();
  useTopic('status');
  const { phase, failure, connection } = chain;
  return { phase, failure, connection };
}

/** All markets. */
export function useMarkets(): readonly MarketInfo[] {
  const { chain } = useSession();
  useTopic('markets');
  return chain.markets();
}

/** The chain's time in unix seconds. */
export function useNow(): number {
  const { chain } = useSession();
  useTopic('clock');
  return chain.now();
}

/** A market's order book. */
export function useLevels(market: number, depth: number, group: bigint): Levels | null {
  const { chain } = useSession();
  const [book, prices] = [useTopic(`book:${market}`), useTopic('markets')];
  return useDerived([chain, market, depth, group, book, prices], () => chain.ask((desk) => desk.levels(market, depth, group)));
}

/** One side of a market's ranking index. */
export function useIndex(market: number, longs: boolean): IndexInfo | null {
  const { chain } = useSession();
  const [ranks, prices] = [useTopic(`ranks:${market}`), useTopic('markets')];
  return useDerived([chain, market, longs, ranks, prices], () => chain.ask((desk) => desk.index(market, longs)));
}

/** The wallet's margin accounts that exist, by number. */
export function useAccounts(): readonly AccountInfo[] {
  const { chain } = useSession();
  const [account, prices] = [useTopic('account'), useTopic('markets')];
  return useDerived([chain, account, prices], () => chain.accounts());
}

/** The number of the account that the page trades with, whether it exists or not. */
export function useChosen(): number {
  const { chain, account } = useSession();
  useTopic('account');
  return chain.chosen(account);
}

/** The account that the page trades with; `null` while there is none. */
export function useAccount(): AccountInfo | null {
  const chosen = useChosen();
  return useAccounts().find(({ number }) => number === chosen) ?? null;
}

/** Something with the account that it belongs to. */
export interface Held<T> {
  account: AccountInfo;
  item: T;
}

function heldBy<T>(accounts: readonly AccountInfo[], of: (account: AccountInfo) => readonly T[]): Held<T>[] {
  return accounts.flatMap((account) => of(account).map((item) => ({ account, item })));
}

/** The resting orders of accounts. */
export function useOrders(accounts: readonly AccountInfo[]): readonly Held<OpenOrder>[] {
  const { chain } = useSession();
  return useDerived([chain, accounts], () => heldBy(accounts, (account) => chain.orders(account)));
}

/** The take-profits and stops of accounts. */
export function useTriggers(accounts: readonly AccountInfo[]): readonly Held<TriggerInfo>[] {
  const { chain } = useSession();
  return useDerived([chain, accounts], () => heldBy(accounts, (account) => chain.triggers(account)));
}

/** What the wallet has outside the exchange. */
export function useFunds(): Funds | null {
  const { chain } = useSession();
  useTopic('funds');
  return chain.funds;
}

/** A market's latest trades, newest first. */
export function useTrades(market: number): readonly Trade[] {
  const { chain } = useSession();
  const version = useTopic(`feed:${market}`);
  return useDerived([chain, market, version], () => [...(chain.feed?.trades(market) ?? [])]);
}

/** A market's bars. */
export function useCandles(market: number, interval: number): readonly Candle[] {
  const { chain } = useSession();
  const version = useTopic(`feed:${market}`);
  return useDerived([chain, market, interval, version], () => chain.feed?.candles(market, interval) ?? []);
}
