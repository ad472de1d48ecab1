// Forced reductions as a list, each with the way to its explanation.
import { hrefOf, whyHref } from '../../hooks/route';
import type { Forced } from '../../lib/forced';
import { averagePrice, price, shortAddress, size, usd } from '../../lib/units';
import type { MarketInfo } from '../../wasm/ballast_wasm';

const KINDS: Record<string, string> = { liquidation: 'Liquidation', takeover: 'Takeover', deleveraging: 'Deleveraging', booked: 'Reduced for another’s bankruptcy' };

/** Date and time of a unix time, in the reader's zone. */
export function moment(time: number): string {
  return new Date(time * 1_000).toLocaleString([], { month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit', second: '2-digit' });
}

export function ForcedTable({ rows, markets, empty }: { rows: readonly Forced[]; markets: readonly MarketInfo[]; empty: string }) {
  if (rows.length === 0) return <p className="p-3 text-muted">{empty}</p>;
  return (
    <table className="grid-table" data-testid="forced">
      <thead>
        <tr>
          <th scope="col">Time</th>
          <th scope="col">What</th>
          <th scope="col">Position</th>
          <th scope="col" className="right">Size closed</th>
          <th scope="col" className="right">At</th>
          <th scope="col" className="right">Value</th>
          <th scope="col" className="right">Insurance</th>
          <th scope="col">Account</th>
          <th scope="col"><span className="sr-only">Explanation</span></th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => {
          const market = markets[row.market];
          if (!market) return null;
          const at = averagePrice(row.quote, row.lots);
          return (
            <tr key={`${row.signature}-${row.index}`}>
              <td className="num text-muted">{moment(row.time)}</td>
              <td className={row.kind === 'deleveraging' ? 'text-warn' : ''}>{KINDS[row.kind] ?? row.kind}</td>
              <td>
                {market.symbol} <span className={row.long ? 'text-up' : 'text-down'}>{row.long ? 'long' : 'short'}</span>
              </td>
              <td className="num right">{size(row.lots, market)}</td>
              <td className="num right">{at === null ? '–' : price(at, market)}</td>
              <td className="num right">{usd(row.quote)}</td>
              <td className="num right">{row.insuranceDrawn === 0n ? '–' : usd(row.insuranceDrawn)}</td>
              <td className="font-mono text-2xs text-muted">{shortAddress(row.account)}</td>
              <td className="right">
                <a className="link" href={row.kind === 'booked' ? hrefOf({ page: 'why', market: '' }) : whyHref(row.signature, row.index)} aria-label={`Why: ${KINDS[row.kind] ?? row.kind} of ${moment(row.time)}`}>
                  Why?
                </a>
              </td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}
