// Lines across the chart for what an account has in its market: entry, liquidation, take-profits and stops. A handle on each says what
// it is; those of triggers are dragged to another price or opened with the keyboard.
import { useEffect, useLayoutEffect, useRef, useState, type PointerEvent as ReactPointerEvent } from 'react';
import type { IPriceLine, ISeriesApi, LineStyle } from 'lightweight-charts';

import { price } from '../lib/units';
import type { AccountInfo, MarketInfo, TriggerInfo } from '../wasm/ballast_wasm';

/** `LineStyle.Dashed` and `LineStyle.Solid`, whose module is loaded later. */
/* eslint-disable @typescript-eslint/no-unsafe-enum-assignment */
const DASHED = 2 as LineStyle;
const SOLID = 0 as LineStyle;
/* eslint-enable @typescript-eslint/no-unsafe-enum-assignment */

/** A line. */
export interface ChartLine {
  id: string;
  name: string;
  at: bigint;
  /** A colour of the style sheet. */
  colour: 'accent' | 'warn' | 'up' | 'down';
  /** What is moved by dragging it; other lines only show. */
  moves?: Moves;
}

/** A trigger and whose it is. */
interface Moves {
  account: AccountInfo;
  trigger: TriggerInfo;
}

interface Props {
  candles: ISeriesApi<'Candlestick'>;
  lines: readonly ChartLine[];
  market: MarketInfo;
  /** Digits after the point of a price. */
  scale: number;
  /** Counts changes of the theme, with which colours change. */
  paint: number;
  /** A trigger was dragged to a price, or opened where it is. */
  onMove: (moves: Moves, at: bigint | undefined) => void;
}

/** A colour by its name in the style sheet. */
export function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

/** Pixels that a pointer moves before it drags: less is a click. */
const DRAG_FROM = 3;

export function ChartLines({ candles, lines, market, scale, paint, onMove }: Props) {
  const drawn = useRef(new Map<string, IPriceLine>());
  const handles = useRef(new Map<string, HTMLElement>());
  const [dragged, setDragged] = useState<{ id: string; at: bigint } | null>(null);
  const shown = lines.map((line) => (line.id === dragged?.id ? { ...line, at: dragged.at } : line));
  const key = shown.map(({ id, at }) => `${id}@${at}`).join(' ');
  const latest = useRef(shown);
  useEffect(() => {
    latest.current = shown;
  });

  useEffect(() => {
    const made = drawn.current;
    for (const { id, at, colour: name, moves } of latest.current) {
      const options = { price: Number(at) / 10 ** scale, color: colour(name), lineStyle: moves ? SOLID : DASHED, axisLabelVisible: true, title: '' };
      const line = made.get(id);
      if (line) line.applyOptions(options);
      else made.set(id, candles.createPriceLine(options));
    }
    for (const [id, line] of made) {
      if (latest.current.some((one) => one.id === id)) continue;
      candles.removePriceLine(line);
      made.delete(id);
    }
  }, [candles, key, scale, paint]);

  // Undone before the chart is, whose own effect is undone after all layout effects.
  useLayoutEffect(() => {
    const made = drawn.current;
    return () => {
      made.forEach((line) => candles.removePriceLine(line));
      made.clear();
    };
  }, [candles]);

  // The chart tells nobody when its prices move on the screen, so the handles look at every frame; they are few.
  useLayoutEffect(() => {
    let frame = 0;
    const place = (): void => {
      const height = candles.getPane().getHeight();
      for (const { id, at } of latest.current) {
        const handle = handles.current.get(id);
        if (!handle) continue;
        const y = candles.priceToCoordinate(Number(at) / 10 ** scale);
        const visible = y !== null && y >= 0 && y <= height;
        const transform = visible ? `translateY(${Math.round(y)}px)` : '';
        if (handle.style.transform !== transform) handle.style.transform = transform;
        if (handle.hidden === visible) handle.hidden = !visible;
      }
      frame = requestAnimationFrame(place);
    };
    frame = requestAnimationFrame(place);
    return () => cancelAnimationFrame(frame);
  }, [candles, scale]);

  const drag = (event: ReactPointerEvent<HTMLButtonElement>, moves: Moves, id: string): void => {
    const handle = event.currentTarget;
    const box = handle.parentElement?.getBoundingClientRect();
    if (!box || event.button !== 0) return;
    handle.setPointerCapture(event.pointerId);
    const from = event.clientY;
    let at: bigint | undefined;
    const move = ({ clientY }: PointerEvent): void => {
      if (at === undefined && Math.abs(clientY - from) < DRAG_FROM) return;
      const value = candles.coordinateToPrice(clientY - box.top);
      if (value === null) return;
      const atoms = BigInt(Math.max(Math.round((value as number) * 10 ** scale), 1));
      at = atoms - (atoms % market.tick);
      setDragged({ id, at });
    };
    const end = (finish: Event): void => {
      handle.removeEventListener('pointermove', move);
      handle.removeEventListener('pointerup', end);
      handle.removeEventListener('pointercancel', end);
      setDragged(null);
      if (finish.type === 'pointerup') onMove(moves, at);
    };
    handle.addEventListener('pointermove', move);
    handle.addEventListener('pointerup', end);
    handle.addEventListener('pointercancel', end);
  };

  return (
    <div className="pointer-events-none absolute inset-0 z-10 overflow-hidden">
      {shown.map(({ id, name, at, colour: tone, moves }) => {
        const style = { color: `var(--${tone})`, borderColor: `var(--${tone})` };
        const words = `${name} ${price(at, market)}`;
        const common = 'num absolute top-0 left-2 -mt-2.5 rounded border bg-surface px-1.5 py-0.5 text-2xs leading-none';
        const hold = (element: HTMLElement | null): void => {
          if (element) handles.current.set(id, element);
          else handles.current.delete(id);
        };
        if (!moves) {
          return <span key={id} ref={hold} hidden className={common} style={style}>{words}</span>;
        }
        const follows = moves.trigger.trailPpm !== undefined;
        return (
          <button
            key={id}
            ref={hold}
            type="button"
            hidden
            className={`${common} pointer-events-auto touch-none select-none ${follows ? 'cursor-pointer' : 'cursor-ns-resize'}`}
            style={style}
            data-testid="chart-handle"
            aria-label={`${words}: edit`}
            title={follows ? 'Follows the mark. Press Enter to edit' : 'Drag to another price, or press Enter to edit'}
            onPointerDown={(event) => !follows && drag(event, moves, id)}
            onClick={(event) => {
              // A pointer has been dealt with above; this is the keyboard, or a trailing stop.
              if (event.detail === 0 || follows) onMove(moves, undefined);
            }}
          >
            {!follows && <span aria-hidden="true">⇅ </span>}
            {words}
          </button>
        );
      })}
    </div>
  );
}
