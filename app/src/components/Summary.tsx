import { useState } from 'react';

import { percent, usd } from '../lib/units';
import type { AccountInfo } from '../wasm/ballast_wasm';
import { MarginDialog } from './MarginDialog';

/** The colour of a gain or a loss. */
export function signed(value: bigint): string {
  return value > 0n ? 'text-up' : value < 0n ? 'text-down' : '';
}

/** Stages of an account, in words. */
export const STAGES: Record<string, string> = {
  healthy: 'Healthy',
  restricted: 'Reduce only',
  partial: 'In liquidation',
  takeover: 'Open to takeover',
  bankrupt: 'Bankrupt',
};

/** An account in a few numbers; with `actions`, its money can be moved from here. */
export function Summary({ account, actions = false }: { account: AccountInfo; actions?: boolean }) {
  const [moving, setMoving] = useState(false);
  const { equity, initialEquity, initial, maintenance, notional, settled, unsettled, profit, marginRatioBps, stage } = account;
  const free = initialEquity - initial;
  const facts: [string, string, string][] = [
    ['Equity', usd(equity), ''],
    ['Profit of positions', usd(profit, 2, true), signed(profit)],
    ['Free for new positions', usd(free > 0n ? free : 0n), ''],
    ['Settled money', usd(settled), ''],
    ['Not settled yet', usd(unsettled, 2, true), signed(unsettled)],
    ['Initial margin', usd(initial), ''],
    ['Maintenance margin', usd(maintenance), ''],
    ['Margin ratio', marginRatioBps === undefined ? '–' : percent(marginRatioBps, 0), stage === 'healthy' ? '' : 'text-warn'],
    ['Value of positions', usd(notional), ''],
    ['Stage', STAGES[stage] ?? stage, stage === 'healthy' ? 'text-up' : 'text-down'],
  ];
  return (
    <>
    <dl className="grid grid-cols-2 gap-x-6 gap-y-1 p-3 sm:grid-cols-5" data-testid="summary">
      {facts.map(([name, value, colour]) => (
        <div key={name}>
          <dt className="text-2xs text-muted">{name}</dt>
          <dd className={`num ${colour}`}>{value}</dd>
        </div>
      ))}
    </dl>
    {actions && <button type="button" className="plain mx-3 mb-3" onClick={() => setMoving(true)}>Move money</button>}
    {moving && <MarginDialog account={account} onClose={() => setMoving(false)} />}
    </>
  );
}
