import { useMemo } from 'react';

import { useLevels, usePaced } from '../hooks/chain';
import { price, size } from '../lib/units';
import type { Level, Levels, MarketInfo } from '../wasm/ballast_wasm';

/** Levels of each side that are drawn. */
const DEPTH = 400;
/** How often it is drawn anew. */
const EVERY_MS = 250;

interface Step {
  /** 0 to 1 across. */
  x: number;
  /** 0 to 1 of the deepest. */
  y: number;
}

/** Both sides' cumulated depth as steps outwards from the middle, and what the edges mean. `null` for an empty book. */
export function depthOf(levels: Levels, mark: bigint): { bids: Step[]; asks: Step[]; reach: bigint; most: bigint } | null {
  const far = (side: Level[]): bigint => {
    const last = side.at(-1)?.price ?? mark;
    return last > mark ? last - mark : mark - last;
  };
  const reach = [far(levels.bids), far(levels.asks)].reduce((a, b) => (a > b ? a : b));
  const total = (side: Level[]): bigint => side.reduce((sum, { lots }) => sum + lots, 0n);
  const most = [total(levels.bids), total(levels.asks)].reduce((a, b) => (a > b ? a : b));
  if (reach === 0n || most === 0n) return null;
  const steps = (side: Level[]): Step[] => {
    let sum = 0n;
    return side.map(({ price: at, lots }) => {
      sum += lots;
      // For the eye: ten thousandths are more than the screen has.
      return { x: 0.5 + Number(((at - mark) * 5_000n) / reach) / 10_000, y: Number((sum * 10_000n) / most) / 10_000 };
    });
  };
  return { bids: steps(levels.bids), asks: steps(levels.asks), reach, most };
}

/** An area under steps, in a square of 1,000. */
function area(steps: readonly Step[], end: number): string {
  const first = steps[0];
  if (!first) return '';
  const top = (y: number): string => (1_000 - y * 940).toFixed(1);
  let path = `M ${(first.x * 1_000).toFixed(1)} 1000`;
  for (const { x, y } of steps) path += ` H ${(x * 1_000).toFixed(1)} V ${top(y)}`;
  return `${path} H ${end} V 1000 Z`;
}

/** The depth of the book: how much stands between the mark and a price. */
export function DepthChart({ market }: { market: MarketInfo }) {
  const levels = usePaced(useLevels(market.index, DEPTH, market.tick), EVERY_MS);
  const depth = useMemo(() => (levels ? depthOf(levels, market.mark) : null), [levels, market.mark]);
  if (!depth) return <p className="grid flex-1 place-items-center text-muted">The book is empty.</p>;
  const { bids, asks, reach, most } = depth;
  const low = market.mark > reach ? market.mark - reach : 0n;
  const words = `Depth of the book from ${price(low, market)} to ${price(market.mark + reach, market)}, at most ${size(most, market)} ${market.symbol} a side`;
  return (
    <figure className="relative flex min-h-0 flex-1 flex-col p-2" data-testid="depth">
      {/* Out of the flow: a picture with a view box would ask for room of its own. */}
      <div className="relative min-h-0 flex-1">
      <svg viewBox="0 0 1000 1000" preserveAspectRatio="none" className="absolute inset-0 size-full" role="img" aria-label={words}>
        <path d={area(bids, 0)} style={{ fill: 'var(--up-soft)', stroke: 'var(--up)' }} vectorEffect="non-scaling-stroke" />
        <path d={area(asks, 1_000)} style={{ fill: 'var(--down-soft)', stroke: 'var(--down)' }} vectorEffect="non-scaling-stroke" />
        <line x1="500" x2="500" y1="0" y2="1000" style={{ stroke: 'var(--muted)' }} strokeDasharray="4 4" vectorEffect="non-scaling-stroke" />
      </svg>
      </div>
      <figcaption className="num grid grid-cols-3 pt-1 text-2xs text-muted">
        <span>{price(low, market)}</span>
        <span className="text-center text-text">{price(market.mark, market)}</span>
        <span className="text-right">{price(market.mark + reach, market)}</span>
      </figcaption>
      <span className="num absolute top-2 left-3 text-2xs text-muted">{size(most, market)} {market.symbol}</span>
    </figure>
  );
}
