// The other side of a deleveraging: who was reduced, in which order, by how much, and what it cost them.
import { averagePrice, price, share, size, usd } from '../../lib/units';
import type { AccountInfo, MarketInfo, RankingInfo } from '../../wasm/ballast_wasm';
import { score } from './words';

const SHOWN = 200;

interface Props {
  ranking: RankingInfo;
  market: MarketInfo;
  /** Whose entry to point out. */
  account: AccountInfo | null;
}

export function Ranking({ ranking, market, account }: Props) {
  const { cells, haircut, longs } = ranking;
  const position = account?.positions.find((held) => held.market === market.index && held.lots !== 0n && held.lots > 0n === longs);
  const entry = position ? averagePrice(position.basis, position.lots) : null;
  const total = cells.reduce((sum, { lots }) => sum + lots, 0n);
  return (
    <section aria-label="Who was reduced" className="rounded border border-line bg-surface">
      <div className="border-b border-line px-3 py-2">
        <h2 className="font-medium">{longs ? 'Longs' : 'Shorts'} that were reduced</h2>
        <p className="mt-1 text-muted">
          Everybody whose entry and distance to bankruptcy are about the same shares a group and loses the same part. Groups go by score: profit ratio times effective leverage. Each was closed
          at <span className="num text-text">{price(ranking.price, market)}</span> while the mark was <span className="num text-text">{price(ranking.mark, market)}</span>:
          {haircut > 0n ? (
            <> that is <span className="num text-text">{price(haircut, market)}</span> of profit per {market.symbol} given up, {usd((haircut * total))} in all.</>
          ) : (
            <> nothing was given up against it.</>
          )}
          {ranking.insuredPerLot > 0n && <> Insurance had paid <span className="num text-text">{price(ranking.insuredPerLot, market)}</span> per {market.symbol} first.</>}
        </p>
      </div>
      <div className="max-h-96 overflow-auto" tabIndex={0} role="region" aria-label="Groups in their order">
        <table className="grid-table" data-testid="ranking">
          <thead>
            <tr>
              <th scope="col" className="right">Place</th>
              <th scope="col">Entry price</th>
              <th scope="col" className="right">Score</th>
              <th scope="col" className="right">Taken before</th>
              <th scope="col" className="right">Of the side</th>
              <th scope="col" className="right">Taken</th>
              <th scope="col" className="right">Part of the group</th>
            </tr>
          </thead>
          <tbody>
            {cells.slice(0, SHOWN).map((cell, at) => {
              const own = entry !== null && entry >= cell.entryLow && entry <= cell.entryHigh;
              return (
                <tr key={at} className={own ? 'bg-warn-soft' : ''}>
                  <td className="num right">{at + 1}</td>
                  <td className="num">
                    {price(cell.entryLow, market)} – {price(cell.entryHigh, market)}
                    {own && <span className="ml-2 text-2xs text-warn">your entry</span>}
                  </td>
                  <td className="num right">{cell.score === undefined ? 'not said' : cell.score === 0n ? 'pro rata' : score(cell.score)}</td>
                  <td className="num right">{size(cell.ahead, market)}</td>
                  <td className="num right">{share(cell.ahead, ranking.openInterest)}</td>
                  <td className="num right">{size(cell.lots, market)}</td>
                  <td className="num right">{cell.takenPpm === undefined ? '–' : share(BigInt(cell.takenPpm), 1_000_000n)}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
      <p className="border-t border-line px-3 py-2 text-muted">
        {cells.length > SHOWN && `${cells.length - SHOWN} more groups followed. `}
        {size(total, market)} of {size(ranking.openInterest, market)} {market.symbol} on this side were taken, {share(total, ranking.openInterest)}.
        {ranking.dust > 0n && ` Before them, ${size(ranking.dust, market)} that belonged to nobody.`}
        {ranking.exhausted && ' No profitable position was left, so the rest was spread evenly over all.'}
        {' '}It was deleveraging number {String(ranking.sequence)} of this market.
      </p>
    </section>
  );
}
