import { useEffect, useRef, useState } from 'react';
import type { IChartApi, IPriceLine, ISeriesApi, LineStyle, UTCTimestamp } from 'lightweight-charts';

import { useAccount, useCandles } from '../hooks/chain';
import { priceScale } from '../lib/units';
import type { MarketInfo } from '../wasm/ballast_wasm';
import { entryPrice } from './MarketBar';

const INTERVALS: [number, string][] = [
  [1, '1s'],
  [5, '5s'],
  [15, '15s'],
  [60, '1m'],
  [300, '5m'],
];

/** A colour by its name in the style sheet. */
function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

/** `LineStyle.Dashed`, whose module is loaded later. */
// eslint-disable-next-line @typescript-eslint/no-unsafe-enum-assignment
const DASHED = 2 as LineStyle;

interface Drawing {
  chart: IChartApi;
  candles: ISeriesApi<'Candlestick'>;
  volume: ISeriesApi<'Histogram'>;
}

/** Bars of the mark, with lines where the position was entered and would be liquidated. */
export function Chart({ market }: { market: MarketInfo }) {
  const [interval, setInterval] = useState(5);
  const bars = useCandles(market.index, interval);
  const place = useRef<HTMLDivElement>(null);
  const [drawing, setDrawing] = useState<Drawing | null>(null);
  const position = useAccount()?.positions.find((held) => held.market === market.index && held.lots !== 0n);
  const entry = position ? entryPrice(position.basis, position.lots) : null;
  const liquidation = position?.liquidationPrice ?? null;
  const scale = priceScale(market);

  useEffect(() => {
    if (!drawing) return undefined;
    const paint = (): void => {
      const [up, down, line, muted] = [colour('up'), colour('down'), colour('line'), colour('muted')];
      drawing.chart.applyOptions({
        layout: { background: { color: 'transparent' }, textColor: muted, fontSize: 11, attributionLogo: false },
        grid: { vertLines: { color: line }, horzLines: { color: line } },
      });
      drawing.candles.applyOptions({ upColor: up, downColor: down, wickUpColor: up, wickDownColor: down });
      drawing.volume.applyOptions({ color: muted });
    };
    paint();
    window.addEventListener('ballast:theme', paint);
    return () => window.removeEventListener('ballast:theme', paint);
  }, [drawing]);

  useEffect(() => {
    if (!drawing) return;
    // A chart is for the eye: here prices may become floating-point numbers.
    const dollars = (atoms: bigint): number => Number(atoms) / 10 ** scale;
    const base = 10 ** market.lotExponent;
    drawing.candles.setData(
      bars.map(({ time, open, high, low, close }) => ({
        time: time as UTCTimestamp,
        open: dollars(open),
        high: dollars(high),
        low: dollars(low),
        close: dollars(close),
      })),
    );
    drawing.volume.setData(bars.map(({ time, volume }) => ({ time: time as UTCTimestamp, value: Number(volume) / base })));
  }, [drawing, bars, scale, market.lotExponent]);

  useEffect(() => {
    if (!drawing) return undefined;
    const lines: IPriceLine[] = [];
    const add = (at: bigint | null, title: string, name: string): void => {
      if (at === null || at === 0n) return;
      lines.push(drawing.candles.createPriceLine({ price: Number(at) / 10 ** scale, title, color: colour(name), lineStyle: DASHED, axisLabelVisible: true }));
    };
    add(entry, 'entry', 'accent');
    add(liquidation, 'liquidation', 'warn');
    return () => lines.forEach((line) => drawing.candles.removePriceLine(line));
  }, [drawing, entry, liquidation, scale]);

  // Declared last, because it is undone last: what was drawn into the chart must be gone before the chart is.
  useEffect(() => {
    let dropped = false;
    let made: Drawing | undefined;
    // The library is half of the page's code, and the rest need not wait for it.
    void import('lightweight-charts').then(({ CandlestickSeries, CrosshairMode, HistogramSeries, createChart }) => {
      if (dropped || !place.current) return;
      const chart = createChart(place.current, {
        autoSize: true,
        crosshair: { mode: CrosshairMode.Normal },
        timeScale: { timeVisible: true, secondsVisible: true, rightOffset: 4, borderVisible: false },
        rightPriceScale: { borderVisible: false },
        layout: { attributionLogo: false },
      });
      const candles = chart.addSeries(CandlestickSeries, {
        borderVisible: false,
        priceFormat: { type: 'price', precision: Math.max(scale, 0), minMove: 10 ** -scale },
      });
      const volume = chart.addSeries(HistogramSeries, { priceScaleId: '', priceFormat: { type: 'volume' }, lastValueVisible: false, priceLineVisible: false });
      volume.priceScale().applyOptions({ scaleMargins: { top: 0.85, bottom: 0 } });
      made = { chart, candles, volume };
      setDrawing(made);
    });
    return () => {
      dropped = true;
      setDrawing(null);
      made?.chart.remove();
    };
  }, [scale]);

  return (
    <section aria-label="Chart of the mark" className="flex h-full min-h-0 flex-col">
      <div role="group" aria-label="Interval" className="flex gap-0.5 px-2 pt-1">
        {INTERVALS.map(([seconds, label]) => (
          <button
            key={seconds}
            type="button"
            aria-pressed={seconds === interval}
            className={`cursor-pointer rounded px-2 py-0.5 ${seconds === interval ? 'bg-raised text-text' : 'text-muted hover:text-text'}`}
            onClick={() => setInterval(seconds)}
          >
            {label}
          </button>
        ))}
      </div>
      <div ref={place} className="min-h-0 flex-1" role="img" aria-label={`${market.symbol}: ${bars.length} bars of ${interval} seconds`} />
    </section>
  );
}
