// What can only be said of all accounts together: where liquidations wait, how far they are, who holds how much, and what a
// shock would do. All accounts are fetched when somebody asks.
import { useState } from 'react';

import { useSession } from '../../hooks/session';
import { takeCensus, type Census } from '../../lib/census';
import { message } from '../../lib/chain';
import type { MarketInfo } from '../../wasm/ballast_wasm';
import { Concentration, Distances } from './Standing';
import { LiquidationMap } from './LiquidationMap';
import { Shock } from './Shock';

/** Positions and ranking index come in one answer, but a node may put it together while they change. */
const ATTEMPTS = 3;

export function Everybody({ market, markets }: { market: MarketInfo; markets: readonly MarketInfo[] }) {
  const { chain } = useSession();
  const [census, setCensus] = useState<Census | null>(null);
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState('');
  const look = async (): Promise<void> => {
    setBusy(true);
    setFailure('');
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      try {
        const taken = await takeCensus(chain);
        // Asks once, so that accounts that do not fit together are noticed here.
        taken.desk.shock({ moves: [], vault: taken.vault });
        setCensus(taken);
        break;
      } catch (error) {
        if (attempt === ATTEMPTS) setFailure(message(error));
      }
    }
    setBusy(false);
  };
  return (
    <>
      <section aria-label="All accounts" className="flex flex-wrap items-center gap-3 rounded border border-line bg-surface p-3">
        <div className="min-w-0 flex-1">
          <h2 className="font-medium">Everybody’s positions</h2>
          <p className="mt-1 text-muted" role="status" data-testid="census">
            {census
              ? `${census.accounts.toLocaleString('en-US')} margin accounts as of ${new Date(census.time * 1_000).toLocaleTimeString()}, computed in this browser with the program’s own functions.`
              : 'Positions are public. Fetch all of them to see where liquidations wait and what a shock would do.'}
            {failure && <span className="text-down"> That failed: {failure}.</span>}
          </p>
        </div>
        <button type="button" className={census ? 'plain' : 'primary'} disabled={busy} onClick={() => void look()}>
          {busy ? 'Fetching' : census ? 'Refresh' : 'Fetch all accounts'}
        </button>
      </section>
      {census && (
        <>
          <div className="grid gap-3 lg:grid-cols-2">
            <LiquidationMap census={census} market={market} />
            <div className="grid content-start gap-3">
              <Distances census={census} market={market} />
              <Concentration census={census} market={market} />
            </div>
          </div>
          <Shock census={census} markets={markets} />
        </>
      )}
    </>
  );
}
