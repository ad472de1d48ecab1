// Where in the page somebody is, as the part of its address after `#`: `#/trade/BTC`, `#/account`, `#/risk/BTC`.
import { useSyncExternalStore } from 'react';

/** A page, and the market it is about. */
export interface Route {
  page: 'trade' | 'account' | 'risk';
  market: string;
}

const PAGES: readonly string[] = ['trade', 'account', 'risk'];

/** From the address. What is not understood is the trading page. */
export function parseRoute(hash: string): Route {
  const [page = '', market = ''] = hash.replace(/^#\/?/, '').split('/');
  return { page: PAGES.includes(page) ? (page as Route['page']) : 'trade', market: decodeURIComponent(market) };
}

/** The address of a page. */
export function hrefOf({ page, market }: Route): string {
  return market ? `#/${page}/${encodeURIComponent(market)}` : `#/${page}`;
}

function subscribe(listener: () => void): () => void {
  window.addEventListener('hashchange', listener);
  return () => window.removeEventListener('hashchange', listener);
}

/** The present route. */
export function useRoute(): Route {
  return parseRoute(useSyncExternalStore(subscribe, () => window.location.hash));
}
