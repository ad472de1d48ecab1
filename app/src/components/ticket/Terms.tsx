// The ticket's conditions: how long an order lives, whether it may take, what protects it, whose money it risks.
import { parseDecimal } from '../../lib/decimal';
import { price, usd } from '../../lib/units';
import type { MarketInfo, SelfTradeMode } from '../../wasm/ballast_wasm';
import { Check, NumberField, Select } from '../Field';
import { rests, takes, type Life, type Post, type TicketForm } from './form';

interface Props {
  form: TicketForm;
  market: MarketInfo;
  set: (change: Partial<TicketForm>) => void;
}

const LIVES: Record<TicketForm['kind'], (readonly [Life, string])[]> = {
  market: [['ioc', 'Immediate or cancel'], ['fok', 'Fill or kill']],
  limit: [['gtc', 'Good till cancelled'], ['gtt', 'Good till time'], ['ioc', 'Immediate or cancel'], ['fok', 'Fill or kill']],
  stop: [['gtc', 'Good till cancelled'], ['gtt', 'Good till time']],
  pegged: [['gtc', 'Good till cancelled'], ['gtt', 'Good till time']],
};

const POSTS: (readonly [Post, string])[] = [
  ['take', 'Off'],
  ['reject', 'Refuse if it would match'],
  ['slide', 'Slide behind the best'],
];

const SELF_TRADES: (readonly [SelfTradeMode, string])[] = [
  ['cancelResting', 'Cancel the resting one'],
  ['cancelTaking', 'Stop this one'],
  ['decrement', 'Shrink both'],
];

/** The life that an order has: what the ticket says, or the first of its kind's where that has no such life. */
export function lifeFor({ kind, life }: Pick<TicketForm, 'kind' | 'life'>): Life {
  const lives = LIVES[kind];
  return lives.some(([option]) => option === life) ? life : lives[0]![0];
}

/** How long the order lives, and how it may trade. */
export function Terms({ form, set }: Props) {
  const { kind, life } = form;
  return (
    <div className="grid gap-1.5">
      {(kind === 'market' || (kind === 'stop' && form.limit.trim() === '')) && (
        <label className="flex items-center justify-between gap-2">
          <span className="text-muted">Slippage at most (%)</span>
          <input className="field num w-20 text-right" inputMode="decimal" value={form.slippage} onChange={({ target }) => set({ slippage: target.value })} />
        </label>
      )}
      <Select label="Time in force" value={lifeFor(form)} options={LIVES[kind]} onChange={(next) => set({ life: next })} />
      {life === 'gtt' && (rests(form) || kind === 'stop') && (
        <label className="flex items-center justify-between gap-2">
          <span className="text-muted">Minutes</span>
          <input className="field num w-20 text-right" inputMode="numeric" value={form.minutes} onChange={({ target }) => set({ minutes: target.value })} />
        </label>
      )}
      {rests(form) && <Select label="Post only" value={form.post} options={POSTS} onChange={(post) => set({ post })} />}
      {takes(form) && <Select label="Own orders" value={form.selfTrade} options={SELF_TRADES} onChange={(selfTrade) => set({ selfTrade })} />}
      {(kind === 'market' || kind === 'limit') && (
        <Check label="Reduce only" title="Never larger than the position. It reserves no margin, so it rests only while the account has its initial margin" checked={form.reduceOnly} onChange={(reduceOnly) => set({ reduceOnly, isolated: reduceOnly ? false : form.isolated })} />
      )}
    </div>
  );
}

/** Take-profit and stop in the same transaction as the entry. */
export function Bracket({ form, market, set }: Props) {
  const off = form.reduceOnly && form.kind !== 'pegged';
  const up = form.buys ? 'above' : 'below';
  const down = form.buys ? 'below' : 'above';
  return (
    <div className="grid gap-1.5">
      <Check label="Take-profit and stop" title="In the same transaction; each cancels the other" disabled={off} checked={form.bracket} onChange={(bracket) => set({ bracket })} />
      {form.bracket && !off && (
        <div className="grid grid-cols-2 gap-2">
          <NumberField label="Take profit" unit="USD" placeholder={up} value={form.takeProfit} onChange={(takeProfit) => set({ takeProfit })} />
          <NumberField label="Stop loss" unit="USD" placeholder={down} value={form.stopLoss} onChange={(stopLoss) => set({ stopLoss })} />
          <p className="col-span-2 text-2xs text-muted">At the market, 1 % from the mark at most. The mark is {price(market.mark, market)}.</p>
        </div>
      )}
    </div>
  );
}

interface IsolateProps extends Props {
  /** The margin that the position would be given. */
  margin: bigint | null;
  /** The largest leverage that the market's first tier allows, in hundredths. */
  most: bigint;
  /** Why it is not possible, if there is something to say; `null` if it is. */
  barred: string | null;
}

/** A position with an account of its own: it risks only the margin that is moved there. */
export function Isolate({ form, set, margin, most, barred }: IsolateProps) {
  const times = parseDecimal(form.leverage, 2);
  const on = form.isolated && barred === null;
  return (
    <div className="grid gap-1.5">
      <Check
        label="Isolated: an account of its own"
        title="Opens an account, moves the margin there and orders, all in one transaction. Nothing else can be lost."
        disabled={barred !== null}
        checked={on}
        onChange={(isolated) => set({ isolated, reduceOnly: isolated ? false : form.reduceOnly })}
      />
      {barred && <p className="text-2xs text-muted">{barred}</p>}
      {on && (
        <div className="grid gap-1">
          <label className="grid gap-1">
            <span className="flex justify-between text-muted">
              <span>Leverage</span>
              <span className="num text-text">{form.leverage}×</span>
            </span>
            <input
              type="range"
              className="accent-(--accent)"
              min={1}
              max={Number(most / 100n)}
              step={1}
              value={Number((times ?? 100n) / 100n)}
              onChange={({ target }) => set({ leverage: target.value })}
            />
          </label>
          <p className="num text-2xs text-muted">Margin moved there: {margin === null || margin === 0n ? '–' : usd(margin)}</p>
        </div>
      )}
    </div>
  );
}
