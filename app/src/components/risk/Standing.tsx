import { useMemo } from 'react';

import type { Census } from '../../lib/census';
import { formatDecimal } from '../../lib/decimal';
import { percent, shortAddress, size, usdShort } from '../../lib/units';
import type { MarketInfo } from '../../wasm/ballast_wasm';

const STAGES: Record<string, string> = { partial: 'First liquidation', takeover: 'First takeover', bankrupt: 'First bankruptcy' };
const LARGEST = 8;

/** A relative move in millionths. */
export function move(ppm: bigint | undefined, beyond: string): string {
  return ppm === undefined ? beyond : `${formatDecimal(ppm, 4, { min: 1, max: 1, sign: true })} %`;
}

/** How far the mark is from the first account of each stage. */
export function Distances({ census, market }: { census: Census; market: MarketInfo }) {
  const rows = useMemo(() => census.desk.distances(market.index), [census, market.index]);
  return (
    <section aria-label="Distance to each stage" className="overflow-x-auto rounded border border-line bg-surface">
      <h2 className="px-3 pt-2 font-medium">How far the price is from …</h2>
      <table className="grid-table" data-testid="distances">
        <thead>
          <tr>
            <th scope="col"><span className="sr-only">Stage</span></th>
            <th scope="col" className="right">falling</th>
            <th scope="col" className="right">rising</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ stage, fall, rise }) => (
            <tr key={stage}>
              <td>{STAGES[stage] ?? stage}</td>
              <td className="num right text-down">{fall === 0n ? 'now' : move(fall, 'none')}</td>
              <td className="num right text-up">{rise === 0n ? 'now' : move(rise, 'beyond +100 %')}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

/** The largest positions. */
export function Concentration({ census, market }: { census: Census; market: MarketInfo }) {
  const rows = useMemo(() => census.desk.concentration(market.index, LARGEST), [census, market.index]);
  return (
    <section aria-label="Largest positions" className="overflow-x-auto rounded border border-line bg-surface" tabIndex={0}>
      <h2 className="px-3 pt-2 font-medium">Largest positions</h2>
      <table className="grid-table">
        <thead>
          <tr>
            <th scope="col">Account</th>
            <th scope="col">Side</th>
            <th scope="col" className="right">Size ({market.symbol})</th>
            <th scope="col" className="right">Value</th>
            <th scope="col" className="right">Of its side</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.account}>
              <td className="font-mono text-2xs">{shortAddress(row.account)}</td>
              <td className={row.long ? 'text-up' : 'text-down'}>{row.long ? 'long' : 'short'}</td>
              <td className="num right">{size(row.lots, market)}</td>
              <td className="num right">{usdShort(row.notional)}</td>
              <td className="num right">{percent(row.shareBps, 1)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {rows.length === 0 && <p className="p-3 text-muted">Nobody has a position here.</p>}
    </section>
  );
}
