// What has to be fetched when a page is opened, with its failure.
import { useCallback, useEffect, useMemo, useState } from 'react';

import { message } from '../lib/chain';
import { Indexer } from '../lib/indexer';
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
  const { cluster } = useSession();
  return useMemo(() => (cluster.indexer ? new Indexer(cluster.indexer) : null), [cluster.indexer]);
}
