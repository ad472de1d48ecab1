// Where in the page somebody is, as the part of its address after `#`: `#/trade/BTC`, `#/account`, `#/risk/BTC`,
// `#/insurance`, `#/why`, `#/why/SIGNATURE/3`.
import { useSyncExternalStore } from 'react';

/** A page, and what it is about. */
export interface Route {
  page: 'trade' | 'account' | 'risk' | 'insurance' | 'why';
  /** The symbol of a market, where the page is about one. */
  market: string;
  /** A transaction, or an indexer's id of an event, that the page explains. */
  signature?: string;
  /** The event's number among the program's events in the transaction. */
  event?: number;
}

const PAGES: readonly string[] = ['trade', 'account', 'risk', 'insurance', 'why'];

/** From the address. What is not understood is the trading page. */
export function parseRoute(hash: string): Route {
  const [page = '', first = '', second = ''] = hash.replace(/^#\/?/, '').split('/');
  const known = PAGES.includes(page) ? (page as Route['page']) : 'trade';
  if (known !== 'why') return { page: known, market: decodeURIComponent(first) };
  return { page: known, market: '', ...(first ? { signature: first } : {}), ...(/^\d+$/.test(second) ? { event: Number(second) } : {}) };
}

/** The address of a page. */
export function hrefOf({ page, market }: Pick<Route, 'page' | 'market'>): string {
  return market ? `#/${page}/${encodeURIComponent(market)}` : `#/${page}`;
}

/** The address of the page that explains an event. */
export function whyHref(signature: string, event: number): string {
  return `#/why/${signature}/${event}`;
}

function subscribe(listener: () => void): () => void {
  window.addEventListener('hashchange', listener);
  return () => window.removeEventListener('hashchange', listener);
}

/** The present route. */
export function useRoute(): Route {
  return parseRoute(useSyncExternalStore(subscribe, () => window.location.hash));
}
