import { useEffect, useMemo, useRef, useState } from 'react';

import { formatDecimal } from '../lib/decimal';
import { price, priceScale, size, usdShort } from '../lib/units';
import type { CellInfo, IndexInfo, MarketInfo } from '../wasm/ballast_wasm';

const HEIGHT = 340;
const PAD = { left: 8, right: 64, top: 8, bottom: 22 };

interface Placed {
  cell: CellInfo;
  x: number;
  y: number;
  width: number;
  height: number;
}

/** A span of prices with some room around. */
function spanOf(values: number[]): [number, number] {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const room = Math.max((high - low) * 0.06, high * 0.001);
  return [low - room, high + room];
}

/**
 * The cells of a side by entry price (across) and bankruptcy price (up), as dark as they hold lots. The mark is a line in
 * both directions: what is in profit lies on one side of the upright one.
 */
export function Heatmap({ market, index, longs }: { market: MarketInfo; index: IndexInfo; longs: boolean }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [width, setWidth] = useState(600);
  const [pointed, setPointed] = useState<Placed | null>(null);
  const scale = priceScale(market);
  const mark = Number(market.mark);

  useEffect(() => {
    const box = canvas.current?.parentElement;
    if (!box) return undefined;
    const observer = new ResizeObserver(([entry]) => entry && setWidth(Math.max(entry.contentRect.width, 200)));
    observer.observe(box);
    return () => observer.disconnect();
  }, []);

  const { placed, xOf, yOf, ySpan, most } = useMemo(() => {
    const cells = index.cells.filter(({ lots }) => lots > 0n);
    // A bankruptcy price far away says only that there is little leverage.
    const clamp = (value: number): number => Math.min(Math.max(value, mark * 0.5), mark * 1.5);
    const xs = spanOf([mark, ...cells.flatMap(({ entryLow, entryHigh }) => [Number(entryLow), Number(entryHigh)])]);
    const ys = spanOf([mark, ...cells.map(({ bankruptcy }) => clamp(Number(bankruptcy)))]);
    const inner = { width: width - PAD.left - PAD.right, height: HEIGHT - PAD.top - PAD.bottom };
    const x = (value: number): number => PAD.left + ((value - xs[0]) / (xs[1] - xs[0])) * inner.width;
    const y = (value: number): number => PAD.top + (1 - (value - ys[0]) / (ys[1] - ys[0])) * inner.height;
    const list = cells.map((cell) => {
      const left = x(Number(cell.entryLow));
      return { cell, x: left, y: y(clamp(Number(cell.bankruptcy))) - 4, width: Math.max(x(Number(cell.entryHigh)) - left, 5), height: 8 };
    });
    const largest = cells.reduce((sum, { lots }) => (lots > sum ? lots : sum), 1n);
    return { placed: list, xOf: x, yOf: y, ySpan: ys, most: Number(largest) };
  }, [index, mark, width]);

  useEffect(() => {
    const paint = (): void => {
      const element = canvas.current;
      const context = element?.getContext('2d');
      if (!element || !context) return;
      const ratio = window.devicePixelRatio;
      element.width = width * ratio;
      element.height = HEIGHT * ratio;
      context.scale(ratio, ratio);
      context.clearRect(0, 0, width, HEIGHT);
      const styles = getComputedStyle(document.documentElement);
      const colour = (name: string): string => styles.getPropertyValue(`--${name}`).trim();
      context.font = `11px ${getComputedStyle(document.body).fontFamily}`;
      context.strokeStyle = colour('line');
      context.fillStyle = colour('muted');
      for (let step = 0; step <= 4; step++) {
        const value = ySpan[0] + ((ySpan[1] - ySpan[0]) * step) / 4;
        const at = yOf(value);
        context.beginPath();
        context.moveTo(PAD.left, at);
        context.lineTo(width - PAD.right, at);
        context.stroke();
        context.fillText(formatDecimal(BigInt(Math.round(value)), scale), width - PAD.right + 6, at + 4);
      }
      for (const { cell, x, y, width: w, height } of placed) {
        context.globalAlpha = 0.25 + 0.75 * Math.sqrt(Number(cell.lots) / most);
        context.fillStyle = cell.score === 0n ? colour('muted') : colour('down');
        context.fillRect(x, y, w, height);
      }
      context.globalAlpha = 1;
      context.setLineDash([4, 4]);
      context.strokeStyle = colour('accent');
      context.beginPath();
      context.moveTo(xOf(mark), PAD.top);
      context.lineTo(xOf(mark), HEIGHT - PAD.bottom);
      context.moveTo(PAD.left, yOf(mark));
      context.lineTo(width - PAD.right, yOf(mark));
      context.stroke();
      context.setLineDash([]);
      context.fillStyle = colour('accent');
      context.fillText('mark', Math.min(xOf(mark) + 4, width - PAD.right - 30), HEIGHT - PAD.bottom - 4);
      context.fillStyle = colour('muted');
      context.fillText('entry price →', PAD.left, HEIGHT - 6);
    };
    paint();
    window.addEventListener('ballast:theme', paint);
    return () => window.removeEventListener('ballast:theme', paint);
  }, [placed, width, mark, most, scale, xOf, yOf, ySpan]);

  const words = pointed?.cell;
  return (
    <figure>
      <canvas
        ref={canvas}
        style={{ width: '100%', height: HEIGHT }}
        role="img"
        aria-label={`Heat map of ${index.cells.length} cells of ${longs ? 'longs' : 'shorts'} by entry and bankruptcy price`}
        onMouseMove={(event) => {
          const box = event.currentTarget.getBoundingClientRect();
          const [x, y] = [event.clientX - box.left, event.clientY - box.top];
          const near = placed.find((cell) => x >= cell.x - 2 && x <= cell.x + cell.width + 2 && Math.abs(y - cell.y - 4) <= 6);
          setPointed(near ?? null);
        }}
        onMouseLeave={() => setPointed(null)}
      />
      <figcaption className="num min-h-5 text-muted">
        {words
          ? `Entries ${price(words.entryLow, market)} to ${price(words.entryHigh, market)}, bankrupt at about ${price(words.bankruptcy, market)}: ${size(words.lots, market)} ${market.symbol} (${usdShort(words.lots * market.mark)}) in ${words.members} ${words.members === 1 ? 'position' : 'positions'}`
          : `Up: bankruptcy price. Red cells are in profit and would be deleveraged, those nearest to the mark’s level and farthest from its line first; grey ones only after all of them.`}
      </figcaption>
    </figure>
  );
}
