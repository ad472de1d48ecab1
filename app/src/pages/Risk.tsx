// What could happen in a market: the ranking index as a heat map, and what stands between a bankruptcy and a deleveraging.
import { useMemo, useState } from 'react';

import { Choice } from '../components/Choice';
import { Heatmap } from '../components/Heatmap';
import { Everybody } from '../components/risk/Everybody';
import { Stress } from '../components/risk/Stress';
import { useAccount, useIndex, useMarkets } from '../hooks/chain';
import { hrefOf } from '../hooks/route';
import { useSession } from '../hooks/session';
import { parseDecimal } from '../lib/decimal';
import { price, share, size, usd, usdShort } from '../lib/units';
import type { MarketInfo } from '../wasm/ballast_wasm';

export function RiskPage({ market }: { market: MarketInfo }) {
  const markets = useMarkets();
  const [side, setSide] = useState<'longs' | 'shorts'>('longs');
  const index = useIndex(market.index, side === 'longs');
  return (
    <div className="mx-auto grid max-w-7xl gap-3 p-3">
      <div className="flex flex-wrap items-center gap-3">
        <h1 className="text-base font-semibold">Risk of {market.symbol}</h1>
        <nav aria-label="Markets" className="flex gap-1">
          {markets.map(({ symbol }) => (
            <a
              key={symbol}
              href={hrefOf({ page: 'risk', market: symbol })}
              aria-current={symbol === market.symbol ? 'page' : undefined}
              className={`rounded px-2 py-1 ${symbol === market.symbol ? 'bg-raised font-medium' : 'text-muted hover:text-text'}`}
            >
              {symbol}
            </a>
          ))}
        </nav>
      </div>
      <Stress market={market} />
      <Reserves market={market} />
      <section aria-label="Ranking index" className="rounded border border-line bg-surface">
        <div className="flex flex-wrap items-center gap-3 border-b border-line px-3 py-2">
          <h2 className="font-medium">Order of deleveraging</h2>
          <Choice
            label="Side"
            options={[
              ['longs', 'Longs'],
              ['shorts', 'Shorts'],
            ]}
            value={side}
            onChange={setSide}
          />
          {index && (
            <span className="num ml-auto text-muted">
              {size(index.total, market)} {market.symbol} open, {share(index.inProfit, index.total)} of it in profit, {index.cells.length} cells
            </span>
          )}
        </div>
        {index ? (
          <div className="grid gap-px bg-line lg:grid-cols-[minmax(0,1fr)_20rem]">
            <div className="panel p-3">
              <Heatmap market={market} index={index} longs={side === 'longs'} />
            </div>
            <div className="panel">
              <Queue market={market} longs={side === 'longs'} />
            </div>
          </div>
        ) : (
          <p className="p-3 text-muted">Loading the ranking index.</p>
        )}
      </section>
      <WhatIf market={market} />
      <Everybody market={market} markets={markets} />
    </div>
  );
}

/** What pays before anybody is deleveraged. */
function Reserves({ market }: { market: MarketInfo }) {
  const spent = market.insuranceLimit - market.insuranceAvailable;
  const facts: [string, string][] = [
    ['Insurance for this market now', usdShort(market.insuranceAvailable)],
    ['of its limit a day', `${usdShort(market.insuranceLimit)}, ${share(spent, market.insuranceLimit)} spent`],
    ['Insurance drawn so far', usdShort(market.insuranceDrawn)],
    ['Profit pool', usdShort(market.pool)],
    ['Liquidated so far', usdShort(market.liquidatedQuote)],
    ['Deleveraged so far', `${size(market.deleveragedLots, market)} ${market.symbol} in ${String(market.deleverages)}`],
    ['Largest open interest', `${size(market.maxOpenInterestLots, market)} ${market.symbol}`],
    ['Liquidations', market.liquidateRefusal ? market.liquidateRefusal.message : 'possible'],
  ];
  return (
    <dl className="grid grid-cols-2 gap-x-6 gap-y-2 rounded border border-line bg-surface p-3 sm:grid-cols-4" data-testid="reserves">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt className="text-2xs text-muted">{name}</dt>
          <dd className="num">{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** The first cells in the order. */
function Queue({ market, longs }: { market: MarketInfo; longs: boolean }) {
  const index = useIndex(market.index, longs);
  const rows = useMemo(() => {
    const ranked = (index?.cells ?? []).filter(({ score }) => score !== 0n).slice(0, 40);
    const list: { cell: (typeof ranked)[number]; before: bigint }[] = [];
    for (const cell of ranked) {
      const last = list.at(-1);
      list.push({ cell, before: last ? last.before + last.cell.lots : 0n });
    }
    return list;
  }, [index]);
  if (!index) return null;
  return (
    <div className="max-h-96 overflow-auto" tabIndex={0} role="region" aria-label="First in the order">
      <table className="grid-table">
        <thead>
          <tr>
            <th scope="col">Entry from</th>
            <th scope="col" className="right">Size</th>
            <th scope="col" className="right">Score</th>
            <th scope="col" className="right">Ahead</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ cell, before }) => (
            <tr key={`${cell.row}-${cell.column}-${String(before)}`} title={`${cell.members} positions, bankrupt at about ${price(cell.bankruptcy, market)}`}>
              <td className="num">{price(cell.entryLow, market)}</td>
              <td className="num right">{size(cell.lots, market)}</td>
              <td className="num right">{(Number(cell.score) / 2 ** 20).toFixed(4)}</td>
              <td className="num right">{share(before, index.total)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {rows.length === 0 && <p className="p-3 text-muted">No position of this side is in profit.</p>}
    </div>
  );
}

/** What a deleveraging would do to one's own position. */
function WhatIf({ market }: { market: MarketInfo }) {
  const { chain } = useSession();
  const account = useAccount();
  const [part, setPart] = useState('5');
  const position = account?.positions.find((held) => held.market === market.index && held.lots !== 0n);
  const index = useIndex(market.index, (position?.lots ?? 1n) > 0n);
  const bps = parseDecimal(part, 2);
  const lots = index && bps !== null && bps <= 10_000n ? (index.total * bps) / 10_000n : null;
  const effect =
    position?.rank && account && lots !== null
      ? chain.ask((desk) => desk.deleverageEffect(account.address, market.index, lots, market.mark))
      : null;
  return (
    <section aria-label="What if" className="rounded border border-line bg-surface p-3">
      <h2 className="font-medium">If your side were deleveraged now</h2>
      {position && effect ? (
        <div className="mt-2 grid gap-2">
          <label className="flex items-center gap-2">
            <span className="text-muted">Part of the side’s open interest (%)</span>
            <input className="field w-20" inputMode="decimal" value={part} onChange={({ target }) => setPart(target.value)} />
          </label>
          <p className="num">
            {size(effect.taken, market)} {market.symbol} would be taken from {effect.cells} cells at {price(market.mark, market)}. Your position would go from{' '}
            {size(effect.before, market)} to {size(effect.after, market)}
            {effect.before === effect.after ? ': nothing of it would be taken.' : `, for ${usd(effect.proceeds < 0n ? -effect.proceeds : effect.proceeds)}.`}
          </p>
        </div>
      ) : (
        <p className="mt-1 text-muted">With a position in this market that is in the ranking index, this shows what would be taken of it.</p>
      )}
    </section>
  );
}
