// What has to be fetched when a page is opened, with its failure, and when it is fetched again.
import { useCallback, useEffect, useState } from 'react';

import { message } from '../lib/chain';
import type { Channel, Indexer } from '../lib/indexer';
import { useSession } from './session';

/** Something fetched: `undefined` while it is under way. */
export interface Remote<T> {
  value: T | undefined;
  failure: string;
  /** Fetches it again. */
  again: () => void;
}

/** Fetches when `key` changes; `null` fetches nothing. What was there stays until its successor has come. */
export function useRemote<T>(key: string | null, fetcher: () => Promise<T>): Remote<T> {
  const [state, setState] = useState<{ key: string | null; value: T | undefined; failure: string }>({ key: null, value: undefined, failure: '' });
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    if (key === null) return undefined;
    let over = false;
    fetcher().then(
      (value) => !over && setState({ key, value, failure: '' }),
      (error: unknown) => !over && setState((before) => ({ key, value: before.key === key ? before.value : undefined, failure: message(error) })),
    );
    return () => {
      over = true;
    };
    // The key says all that the fetcher depends on.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [key, turn]);
  const again = useCallback(() => setTurn((before) => before + 1), []);
  const current = state.key === key;
  return { value: current ? state.value : undefined, failure: current ? state.failure : '', again };
}

/** The indexer that the page was given, if it was. */
export function useIndexer(): Indexer | null {
  return useSession().chain.indexer;
}

/** News of a moment are one reason to fetch. */
const TOGETHER_MS = 500;

/** Calls `action` when the indexer has something new in a channel, took something back, or is heard again. */
export function useNews(indexer: Indexer | null, channel: Channel, action: () => void): void {
  const key = JSON.stringify(channel);
  useEffect(() => {
    if (!indexer) return undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const soon = (): void => {
      timer ??= setTimeout(() => {
        timer = undefined;
        action();
      }, TOGETHER_MS);
    };
    const stops = [indexer.subscribe(JSON.parse(key) as Channel, soon, soon), indexer.onRollback(soon)];
    return () => {
      clearTimeout(timer);
      stops.forEach((stop) => stop());
    };
  }, [indexer, key, action]);
}

/** Calls `action` every so many milliseconds. */
export function useEvery(ms: number, action: () => void): void {
  useEffect(() => {
    const timer = setInterval(action, ms);
    return () => clearInterval(timer);
  }, [ms, action]);
}
