// What everybody must know before acting: no connection, a stale price, a paused market or exchange, an account in danger.
import type { ReactNode } from 'react';

import { useAccounts, useMarkets, useNow, useStatus } from '../hooks/chain';
import { useSession } from '../hooks/session';
import type { Route } from '../hooks/route';
import type { Cluster } from '../lib/cluster';
import type { AccountInfo, MarketInfo } from '../wasm/ballast_wasm';

/** A bar across the page. */
function Banner({ tone, children }: { tone: 'warn' | 'down'; children: ReactNode }) {
  const colours = tone === 'warn' ? 'bg-warn-soft text-warn' : 'bg-down-soft text-down';
  return (
    <p role="alert" className={`border-b border-line px-3 py-1.5 ${colours}`}>
      {children}
    </p>
  );
}

/** What an account's stage means for its owner; `null` when all is well. */
export function stageWords({ stage }: Pick<AccountInfo, 'stage'>): string | null {
  switch (stage) {
    case 'restricted':
      return 'Equity is below the initial margin: only reducing orders are taken.';
    case 'partial':
      return 'Equity is below the maintenance margin: anyone may reduce positions on the book. Deposit or reduce now.';
    case 'takeover':
      return 'Equity is below two thirds of the maintenance margin: liquidators may take positions over at a discount.';
    case 'bankrupt':
      return 'Losses exceed the account’s money: insurance or deleveraging closes its positions.';
    default:
      return null;
  }
}

/** Stays for as long as the page shows what a server says that a link chose. */
export function Linked({ cluster: { linked = [] } }: { cluster: Pick<Cluster, 'linked'> }) {
  if (linked.length === 0) return null;
  return (
    <Banner tone="warn">
      The link that opened this page chose the server {linked.map((host, at) => <span key={host}>{at > 0 && ' and '}<strong className="break-all">{host}</strong></span>)}. All that is shown here comes
      from it: go on only if you trust it, or choose a network above.
    </Banner>
  );
}

export function Banners({ market, page }: { market: MarketInfo | undefined; page: Route['page'] }) {
  const { chain } = useSession();
  const { connection, phase } = useStatus();
  const accounts = useAccounts();
  useMarkets();
  const now = useNow();
  if (phase !== 'ready') return <div><Linked cluster={chain.cluster} /></div>;
  const exchange = chain.exchange();
  const age = market ? now - Number(market.oracleTime) : 0;
  return (
    <div>
      <Linked cluster={chain.cluster} />
      {connection === 'lost' && (
        <Banner tone="down">The connection is lost and being restored. What is shown may be old; positions are safe on the network.</Banner>
      )}
      {chain.indexerDown() && page === 'trade' && (
        <Banner tone="warn">The indexer does not answer: older trades and candles are missing until it is back. Trading works without it.</Banner>
      )}
      {exchange?.depositsPaused && <Banner tone="warn">Deposits are paused.</Banner>}
      {exchange?.withdrawalsPaused && <Banner tone="warn">Withdrawals are paused.</Banner>}
      {accounts.map((account) => {
        const danger = stageWords(account);
        return danger && <Banner key={account.address} tone="down"><span className="font-medium">Account {account.number + 1}:</span> {danger}</Banner>;
      })}
      {market && (page === 'trade' || page === 'risk') && market.status !== 'active' && (
        <Banner tone="warn">{market.symbol} {market.status === 'paused' ? 'is paused: no orders are taken.' : 'takes only orders that reduce.'}</Banner>
      )}
      {market && (page === 'trade' || page === 'risk') && market.openRefusal && (
        <Banner tone={market.reduceRefusal ? 'down' : 'warn'}>
          {market.symbol}: {market.openRefusal.message}
          {market.reduceRefusal ? '. Not even reducing is possible now.' : '. Reducing is possible.'}
          {age > 5 && ` The last price is ${age} s old.`}
        </Banner>
      )}
    </div>
  );
}
