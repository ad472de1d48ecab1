import { memo, useCallback, useEffect, useMemo, useRef, useState } from 'react';

import { useLevels, useTrades } from '../hooks/chain';
import { formatDecimal } from '../lib/decimal';
import { price, priceScale, size } from '../lib/units';
import type { Level, MarketInfo } from '../wasm/ballast_wasm';

const DEPTH = 14;

/** Groupings of prices that are round in dollars: powers of ten of the tick. */
export function groupings(market: Pick<MarketInfo, 'mark' | 'tick'>): bigint[] {
  const list = [market.tick];
  // Up to a thousandth of the price.
  while (list.at(-1)! * 10n * 1_000n <= market.mark) list.push(list.at(-1)! * 10n);
  return list;
}

interface Row extends Level {
  total: bigint;
}

function accumulate(levels: Level[]): Row[] {
  const rows: Row[] = [];
  for (const level of levels) rows.push({ ...level, total: (rows.at(-1)?.total ?? 0n) + level.lots });
  return rows;
}

/** The order book: asks above, bids below, with cumulated depth behind. Choosing a level puts its price into the ticket. */
export function Book({ market, onPrice }: { market: MarketInfo; onPrice: (price: bigint) => void }) {
  const options = groupings(market);
  const [chosen, setChosen] = useState(0);
  const group = options[Math.min(chosen, options.length - 1)]!;
  const levels = useLevels(market.index, DEPTH, group);
  const { asks, bids, most } = useMemo(() => {
    const [up, down] = [accumulate(levels?.asks ?? []), accumulate(levels?.bids ?? [])];
    const last = [up.at(-1)?.total ?? 0n, down.at(-1)?.total ?? 0n];
    return { asks: up, bids: down, most: last[0]! > last[1]! ? last[0]! : last[1]! };
  }, [levels]);
  const spread = asks[0] && bids[0] ? asks[0].price - bids[0].price : null;
  return (
    <section aria-label="Order book" className="flex h-full min-h-0 flex-col" data-testid="book">
      <div className="grid grid-cols-3 items-center px-3 pt-1.5 text-right text-2xs text-muted">
        <label className="flex items-center gap-1.5 text-left">
          Price
          <select aria-label="Group prices by" className="cursor-pointer rounded bg-raised px-1 py-0.5 text-text" value={chosen} onChange={({ target }) => setChosen(Number(target.value))}>
            {options.map((option, at) => (
              <option key={String(option)} value={at}>
                {formatDecimal(option, priceScale(market))}
              </option>
            ))}
          </select>
        </label>
        <span>Size ({market.symbol})</span>
        <span>Total</span>
      </div>
      <div className="grid min-h-0 flex-1 grid-rows-[1fr_auto_1fr] overflow-hidden py-1">
        <Side rows={asks} most={most} market={market} tone="down" onPrice={onPrice} name="Asks" />
        <div className="flex items-baseline gap-2 border-y border-line px-3 py-1">
          <span className="num text-sm font-semibold">{price(market.mark, market)}</span>
          <span className="text-2xs text-muted">mark</span>
          {spread !== null && (
            <span className="num ml-auto text-2xs text-muted">
              spread {formatDecimal((spread * 1_000_000n) / market.mark, 4, { min: 3, max: 3 })} %
            </span>
          )}
        </div>
        <Side rows={bids} most={most} market={market} tone="up" onPrice={onPrice} name="Bids" />
      </div>
    </section>
  );
}

interface SideProps {
  rows: Row[];
  most: bigint;
  market: MarketInfo;
  tone: 'up' | 'down';
  name: string;
  onPrice: (price: bigint) => void;
}

function Side({ rows, most, market, tone, name, onPrice }: SideProps) {
  const latest = useRef({ rows, onPrice });
  useEffect(() => {
    latest.current = { rows, onPrice };
  });
  const choose = useCallback((at: number) => {
    const row = latest.current.rows[at];
    if (row) latest.current.onPrice(row.price);
  }, []);
  return (
    <ul aria-label={name} className={`flex min-h-0 overflow-hidden ${tone === 'up' ? 'flex-col' : 'flex-col-reverse'}`}>
      {/* By place and not by price: when prices move, the same elements get other texts, and nothing is laid out anew. */}
      {rows.map((row, at) => (
        <LevelRow
          key={at}
          at={at}
          price={price(row.price, market)}
          size={size(row.lots, market, true)}
          total={size(row.total, market, true)}
          permille={most === 0n ? 0 : Number((row.total * 1_000n) / most)}
          up={tone === 'up'}
          onChoose={choose}
        />
      ))}
    </ul>
  );
}

interface LevelProps {
  at: number;
  price: string;
  size: string;
  total: string;
  /** Depth up to here, in thousandths of the deepest. */
  permille: number;
  up: boolean;
  onChoose: (at: number) => void;
}

/** One level. Rendered again only when something that it shows has changed. */
const LevelRow = memo(function LevelRow({ at, price, size, total, permille, up, onChoose }: LevelProps) {
  return (
    <li className="relative contain-content">
      <span aria-hidden="true" className={`absolute inset-y-px right-0 w-full origin-right ${up ? 'bg-up-soft' : 'bg-down-soft'}`} style={{ transform: `scaleX(${permille / 1_000})` }} />
      <button type="button" className="num relative grid w-full cursor-pointer grid-cols-3 px-3 py-px text-right hover:bg-raised" onClick={() => onChoose(at)}>
        <span className={`text-left ${up ? 'text-up' : 'text-down'}`}>{price}</span>
        <span>{size}</span>
        <span className="text-muted">{total}</span>
      </button>
    </li>
  );
});

const CAUSES: Record<string, string> = { liquidation: 'Liquidation', bankruptcy: 'Bankruptcy' };

/** The latest trades. */
export function Trades({ market }: { market: MarketInfo }) {
  const trades = useTrades(market.index).slice(0, 60);
  return (
    <section aria-label="Latest trades" className="flex h-full min-h-0 flex-col" data-testid="trades">
      <div className="grid grid-cols-3 px-3 pt-1.5 pb-1 text-2xs text-muted">
        <span>Price (USD)</span>
        <span className="text-right">Size ({market.symbol})</span>
        <span className="text-right">Time</span>
      </div>
      <ul className="min-h-0 flex-1 overflow-y-auto" tabIndex={0} aria-label="Trades">
        {trades.map((trade) => (
          <li key={trade.id} className="num grid grid-cols-3 px-3 py-px" title={CAUSES[trade.cause]}>
            <span className={trade.bought ? 'text-up' : 'text-down'}>
              {price(trade.price, market)}
              {CAUSES[trade.cause] && <span className="ml-1 text-warn">{CAUSES[trade.cause]?.[0]}</span>}
            </span>
            <span className="text-right">{size(trade.lots, market, true)}</span>
            <time className="text-right text-muted" dateTime={new Date(trade.time * 1_000).toISOString()}>
              {new Date(trade.time * 1_000).toLocaleTimeString('en-GB')}
            </time>
          </li>
        ))}
        {trades.length === 0 && <li className="px-3 py-2 text-muted">No trades yet.</li>}
      </ul>
    </section>
  );
}
