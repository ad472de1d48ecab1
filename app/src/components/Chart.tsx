import { useEffect, useMemo, useRef, useState } from 'react';
import type { AutoscaleInfo, IChartApi, ISeriesApi, UTCTimestamp } from 'lightweight-charts';

import { useAccounts, useCandles, useTriggers, type Held } from '../hooks/chain';
import { useSession } from '../hooks/session';
import type { Candle } from '../lib/feed';
import { priceScale } from '../lib/units';
import type { AccountInfo, MarketInfo, TriggerInfo } from '../wasm/ballast_wasm';
import { ChartLines, colour, type ChartLine } from './ChartLines';
import { DepthChart } from './DepthChart';
import { entryPrice } from './MarketBar';
import { EditTriggerDialog } from './ProtectDialog';
import { triggerName } from './Triggers';

const INTERVALS: [number, string][] = [
  [1, '1s'],
  [5, '5s'],
  [15, '15s'],
  [60, '1m'],
  [300, '5m'],
];
/** Those for which only an indexer remembers enough. */
const LONG_INTERVALS: [number, string][] = [
  [900, '15m'],
  [3_600, '1h'],
  [14_400, '4h'],
  [86_400, '1d'],
];
type View = 'price' | 'depth';

interface Drawing {
  chart: IChartApi;
  candles: ISeriesApi<'Candlestick'>;
  volume: ISeriesApi<'Histogram'>;
}

/** Lines for what accounts have in a market; of several, each says whose it is. */
export function linesOf(accounts: readonly AccountInfo[], triggers: readonly Held<TriggerInfo>[], market: number): ChartLine[] {
  const lines: ChartLine[] = [];
  const named = (name: string, { number }: AccountInfo): string => (accounts.length > 1 ? `${name} (${number + 1})` : name);
  for (const account of accounts) {
    const position = account.positions.find((held) => held.market === market && held.lots !== 0n);
    if (!position) continue;
    const { basis, lots, liquidationPrice } = position;
    lines.push({ id: `entry ${account.number}`, name: named('Entry', account), at: entryPrice(basis, lots), colour: 'accent' });
    if (liquidationPrice) lines.push({ id: `liquidation ${account.number}`, name: named('Liquidation', account), at: liquidationPrice, colour: 'warn' });
  }
  for (const { account, item: trigger } of triggers) {
    if (trigger.market !== market) continue;
    const id = `${account.number}/${trigger.id}`;
    lines.push({ id, name: named(triggerName(trigger), account), at: trigger.price, colour: trigger.stop ? 'down' : 'up', moves: { account, trigger } });
  }
  return lines;
}

/** Bars of a market, with lines for entry, liquidation, take-profits and stops; or the depth of its book. */
export function Chart({ market }: { market: MarketInfo }) {
  const { chain } = useSession();
  const [view, setView] = useState<View>('price');
  const [interval, setInterval] = useState(5);
  const [fits, setFits] = useState(true);
  const intervals = chain.cluster.indexer ? [...INTERVALS, ...LONG_INTERVALS] : INTERVALS;
  const button = (pressed: boolean): string => `cursor-pointer rounded px-2 py-0.5 ${pressed ? 'bg-raised text-text' : 'text-muted hover:text-text'}`;
  return (
    <section aria-label="Chart" className="flex h-full min-h-0 flex-col">
      <div className="flex flex-wrap items-center gap-x-3 px-2 pt-1">
        <div role="group" aria-label="What is drawn" className="flex gap-0.5">
          <button type="button" aria-pressed={view === 'price'} className={button(view === 'price')} onClick={() => setView('price')}>Price</button>
          <button type="button" aria-pressed={view === 'depth'} className={button(view === 'depth')} onClick={() => setView('depth')}>Depth</button>
        </div>
        {view === 'price' && (
          <>
            <div role="group" aria-label="Interval" className="flex gap-0.5 border-l border-line pl-2">
              {intervals.map(([seconds, label]) => (
                <button key={seconds} type="button" aria-pressed={seconds === interval} className={button(seconds === interval)} onClick={() => setInterval(seconds)}>
                  {label}
                </button>
              ))}
            </div>
            <button type="button" aria-pressed={fits} title="Keep entry, take-profits and stops in sight" className={button(fits)} onClick={() => setFits(!fits)}>
              Fit lines
            </button>
          </>
        )}
      </div>
      {view === 'price' ? <PriceChart market={market} interval={interval} fits={fits} /> : <DepthChart market={market} />}
    </section>
  );
}

function PriceChart({ market, interval, fits }: { market: MarketInfo; interval: number; fits: boolean }) {
  const bars = useCandles(market.index, interval);
  const place = useRef<HTMLDivElement>(null);
  const [drawing, setDrawing] = useState<Drawing | null>(null);
  const [paint, setPaint] = useState(0);
  const [moving, setMoving] = useState<{ account: AccountInfo; trigger: TriggerInfo; at: bigint | undefined } | null>(null);
  const accounts = useAccounts();
  const triggers = useTriggers(accounts);
  const lines = useMemo(() => linesOf(accounts, triggers, market.index), [accounts, triggers, market.index]);
  const scale = priceScale(market);
  /** Prices that stay in sight: all lines but liquidation, which is far away as long as all is well. */
  const kept = useRef<number[]>([]);

  useEffect(() => {
    kept.current = fits ? lines.filter(({ id }) => !id.startsWith('liquidation')).map(({ at }) => Number(at) / 10 ** scale) : [];
  }, [lines, fits, scale]);

  useEffect(() => {
    if (!drawing) return undefined;
    const dress = (): void => {
      const [up, down, line, muted] = [colour('up'), colour('down'), colour('line'), colour('muted')];
      drawing.chart.applyOptions({
        layout: { background: { color: 'transparent' }, textColor: muted, fontSize: 11, attributionLogo: false },
        grid: { vertLines: { color: line }, horzLines: { color: line } },
      });
      drawing.candles.applyOptions({ upColor: up, downColor: down, wickUpColor: up, wickDownColor: down });
      drawing.volume.applyOptions({ color: line });
      setPaint((count) => count + 1);
    };
    dress();
    window.addEventListener('ballast:theme', dress);
    return () => window.removeEventListener('ballast:theme', dress);
  }, [drawing]);

  const before = useRef<{ drawing: Drawing | null; bars: readonly Candle[]; interval: number }>({ drawing: null, bars: [], interval: 0 });
  useEffect(() => {
    if (!drawing) return;
    // A chart is for the eye: here prices may become floating-point numbers.
    const dollars = (atoms: bigint): number => Number(atoms) / 10 ** scale;
    const base = 10 ** market.lotExponent;
    const candle = ({ time, open, high, low, close }: Candle) => ({
      time: time as UTCTimestamp,
      open: dollars(open),
      high: dollars(high),
      low: dollars(low),
      close: dollars(close),
    });
    const volume = ({ time, volume: lots }: Candle) => ({ time: time as UTCTimestamp, value: Number(lots) / base });
    const last = before.current;
    before.current = { drawing, bars, interval };
    // Most changes are the last bar's, or a new one's.
    if (last.drawing === drawing && last.interval === interval && continues(last.bars, bars)) {
      for (const bar of bars.slice(Math.max(last.bars.length - 1, 0))) {
        drawing.candles.update(candle(bar));
        drawing.volume.update(volume(bar));
      }
      return;
    }
    drawing.candles.setData(bars.map(candle));
    drawing.volume.setData(bars.map(volume));
  }, [drawing, bars, interval, scale, market.lotExponent]);

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
        autoscaleInfoProvider: (original: () => AutoscaleInfo | null) => widened(original(), kept.current),
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
    <div className="relative min-h-0 flex-1">
      <div ref={place} className="h-full" role="img" aria-label={`${market.symbol}: ${bars.length} bars of ${interval} seconds`} />
      {drawing && (
        <ChartLines candles={drawing.candles} lines={lines} market={market} scale={scale} paint={paint} onMove={(moves, at) => setMoving({ ...moves, at })} />
      )}
      {moving && (
        <EditTriggerDialog account={moving.account} trigger={moving.trigger} market={market} {...(moving.at === undefined ? {} : { at: moving.at })} onClose={() => setMoving(null)} />
      )}
    </div>
  );
}

/** Whether bars are the ones before, of which the last may have changed, and perhaps some more at the end. */
function continues(before: readonly Candle[], bars: readonly Candle[]): boolean {
  const [count, more] = [before.length, bars.length - before.length];
  if (count < 2 || more < 0 || more > 3) return false;
  const same = (at: number): boolean => before[at]!.time === bars[at]!.time && before[at]!.close === bars[at]!.close;
  return before[0]!.time === bars[0]!.time && same(count - 2) && before[count - 1]!.time === bars[count - 1]!.time;
}

/** The range of prices that is shown, with these in it. */
function widened(info: AutoscaleInfo | null, prices: readonly number[]): AutoscaleInfo | null {
  if (!info?.priceRange || prices.length === 0) return info;
  const { minValue, maxValue } = info.priceRange;
  return { ...info, priceRange: { minValue: Math.min(minValue, ...prices), maxValue: Math.max(maxValue, ...prices) } };
}
