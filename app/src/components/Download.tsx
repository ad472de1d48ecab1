import { useEffect, useRef, useState } from 'react';

import { message } from '../lib/chain';
import { allRows, csvOf } from '../lib/csv';
import type { Indexer } from '../lib/indexer';

/** Downloads a list of the indexer's, all of it, as CSV. */
export function Download({ indexer, path, name }: { indexer: Indexer; path: string; name: string }) {
  const [state, setState] = useState('');
  const [busy, setBusy] = useState(false);
  const here = useRef(true);
  useEffect(() => {
    here.current = true;
    return () => {
      here.current = false;
    };
  }, []);
  const fetchAll = async (): Promise<void> => {
    setBusy(true);
    try {
      const rows = await allRows(indexer, path, (count) => {
        setState(`${count.toLocaleString('en-US')} rows …`);
        return here.current;
      });
      if (rows) save(csvOf(rows), name);
      setState('');
    } catch (error) {
      setState(`Not complete, so not saved: ${message(error)}.`);
    }
    setBusy(false);
  };
  return (
    <span className="inline-flex items-center gap-2">
      {state && <span role="status" className="num text-muted">{state}</span>}
      <button type="button" className="link" disabled={busy} onClick={() => void fetchAll()}>CSV</button>
    </span>
  );
}

function save(text: string, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([text], { type: 'text/csv' }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
