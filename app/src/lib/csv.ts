// A list of the indexer's as a file: an answer has a thousand rows at most, a file all there are.
import type { Indexer, Item } from './indexer';

const PAGE = 1_000;
/** The columns that come first. */
const FIRST: readonly string[] = ['id', 'time', 'kind', 'signature'];

function cell(value: unknown): string {
  if (value === null || value === undefined) return '';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return /[,"\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Rows as CSV, with every column that any of them has. */
export function csvOf(rows: readonly object[]): string {
  const names = new Set(rows.flatMap((row) => Object.keys(row)));
  const columns = [...FIRST.filter((name) => names.has(name)), ...[...names].filter((name) => !FIRST.includes(name)).sort()];
  const lines = rows.map((row) => columns.map((name) => cell((row as Record<string, unknown>)[name])).join(','));
  return [columns.join(','), ...lines, ''].join('\n');
}

/** All rows of a list, newest first; `onCount` hears how many there are so far, and ends it by saying no. */
export async function allRows(indexer: Pick<Indexer, 'list'>, path: string, onCount: (count: number) => boolean): Promise<Item[] | null> {
  const rows: Item[] = [];
  for (;;) {
    const last = rows.at(-1);
    const page = await indexer.list<Item>(path, { limit: PAGE, ...(last ? { before: last.id } : {}) });
    rows.push(...page);
    if (page.length < PAGE) return rows;
    if (!onCount(rows.length)) return null;
  }
}
