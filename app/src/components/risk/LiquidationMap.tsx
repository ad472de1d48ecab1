import { useMemo } from 'react';

import type { Census } from '../../lib/census';
import { price, size, usdShort } from '../../lib/units';
import type { MarketInfo } from '../../wasm/ballast_wasm';

const BUCKETS = 60;
const WIDTH_PPM = 10_000;
const [WIDTH, HEIGHT, BASE] = [600, 220, 196];

/** Where liquidations wait: lots by the price of the mark that makes them due, longs below it and shorts above. */
export function LiquidationMap({ census, market }: { census: Census; market: MarketInfo }) {
  const buckets = useMemo(() => census.desk.liquidations(market.index, WIDTH_PPM, BUCKETS), [census, market.index]);
  const most = buckets.reduce((sum, { longs, shorts }) => (longs + shorts > sum ? longs + shorts : sum), 1n);
  const step = WIDTH / BUCKETS;
  const mark = buckets[BUCKETS / 2]?.low ?? market.mark;
  const sum = (of: 'longs' | 'shorts'): bigint => buckets.reduce((total, bucket) => total + bucket[of], 0n);
  const value = (lots: bigint): string => usdShort(lots * mark);
  const edges = [0, BUCKETS / 4, BUCKETS / 2, (3 * BUCKETS) / 4, BUCKETS - 1];
  return (
    <section aria-label="Liquidations by price" className="rounded border border-line bg-surface p-3">
      <h2 className="font-medium">Liquidations by price</h2>
      <p className="mt-1 text-muted">
        If the mark moved there and nothing else did: {value(sum('longs'))} of longs would become due within 30 % below it, {value(sum('shorts'))} of shorts within 30 % above.
      </p>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} className="mt-2 w-full" role="img" aria-label={`Positions by liquidation price; the table below has the same numbers`}>
        {buckets.map(({ low, high, longs, shorts, accounts }, at) => {
          const long = (Number(longs) / Number(most)) * (BASE - 10);
          const short = (Number(shorts) / Number(most)) * (BASE - 10);
          return (
            <g key={at}>
              <title>{`${price(low, market)} to ${price(high, market)}: longs ${size(longs, market)}, shorts ${size(shorts, market)}, ${accounts} accounts`}</title>
              <rect x={at * step} y={0} width={step} height={BASE} fill="transparent" />
              <rect x={at * step + 1} y={BASE - long} width={step - 2} height={long} className="fill-up" />
              <rect x={at * step + 1} y={BASE - long - short} width={step - 2} height={short} className="fill-down" />
            </g>
          );
        })}
        <line x1={0} x2={WIDTH} y1={BASE} y2={BASE} className="stroke-line" />
        <line x1={WIDTH / 2} x2={WIDTH / 2} y1={0} y2={BASE} className="stroke-accent" strokeDasharray="3 3" />
        {edges.map((at) => (
          <text
            key={at}
            x={at === 0 ? 0 : at === BUCKETS - 1 ? WIDTH : at * step}
            y={HEIGHT - 8}
            textAnchor={at === 0 ? 'start' : at === BUCKETS - 1 ? 'end' : 'middle'}
            className="fill-muted text-[11px]"
          >
            {price((at === BUCKETS - 1 ? buckets[at]?.high : buckets[at]?.low) ?? 0n, market)}
          </text>
        ))}
      </svg>
      <p className="mt-1 flex gap-4 text-2xs text-muted">
        <span><span aria-hidden="true" className="mr-1 inline-block size-2 rounded-xs bg-up" />longs</span>
        <span><span aria-hidden="true" className="mr-1 inline-block size-2 rounded-xs bg-down" />shorts</span>
        <span><span aria-hidden="true" className="mr-1 inline-block h-2 w-0 border-l border-dashed border-accent" />mark</span>
      </p>
      <details className="mt-2">
        <summary className="link">As a table</summary>
        <div className="mt-2 max-h-60 overflow-auto" tabIndex={0} role="region" aria-label="Liquidations by price, as a table">
          <table className="grid-table" data-testid="liquidations">
            <thead>
              <tr>
                <th scope="col">From</th>
                <th scope="col">To</th>
                <th scope="col" className="right">Longs</th>
                <th scope="col" className="right">Shorts</th>
                <th scope="col" className="right">Accounts</th>
              </tr>
            </thead>
            <tbody>
              {buckets.filter(({ accounts }) => accounts > 0).map(({ low, high, longs, shorts, accounts }) => (
                <tr key={String(low)}>
                  <td className="num">{price(low, market)}</td>
                  <td className="num">{price(high, market)}</td>
                  <td className="num right">{size(longs, market)}</td>
                  <td className="num right">{size(shorts, market)}</td>
                  <td className="num right">{accounts}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </details>
    </section>
  );
}
