import { percent } from '../../lib/units';
import type { MarketInfo } from '../../wasm/ballast_wasm';

/** What a market allows now, and why not more: its status and the state of its price. */
export function Stress({ market }: { market: MarketInfo }) {
  const { status, openRefusal, reduceRefusal, liquidateRefusal } = market;
  const calm = status === 'active' && !openRefusal && !reduceRefusal && !liquidateRefusal;
  const lines: [string, { message: string } | undefined][] = [
    ['Opening', openRefusal],
    ['Reducing', reduceRefusal],
    ['Liquidating', liquidateRefusal],
  ];
  return (
    <section aria-label="State of the market" className={`rounded border p-3 ${calm ? 'border-line bg-surface' : 'border-warn/40 bg-warn-soft'}`} data-testid="stress">
      <h2 className="font-medium">
        {calm ? 'Not stressed' : status === 'active' ? 'Under stress' : status === 'paused' ? 'Paused' : 'Reducing only'}
      </h2>
      <dl className="mt-1 flex flex-wrap gap-x-8 gap-y-1">
        {lines.map(([name, refusal]) => (
          <div key={name} className="flex gap-2">
            <dt className="text-muted">{name}</dt>
            <dd className={refusal ? 'text-warn' : 'text-up'}>{refusal ? refusal.message : 'allowed'}</dd>
          </div>
        ))}
        <div className="flex gap-2">
          <dt className="text-muted">Price’s uncertainty</dt>
          <dd className="num">{percent(market.confidenceBps)}</dd>
        </div>
        <div className="flex gap-2">
          <dt className="text-muted">Distance from its average</dt>
          <dd className="num">{percent(market.deviationBps)}</dd>
        </div>
      </dl>
    </section>
  );
}
