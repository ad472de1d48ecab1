// The order ticket. What is typed becomes exact integers; what it would do is previewed by placing it on a copy of the
// market with the program's own functions.
import { useEffect, useState, type ReactNode } from 'react';

import { useAccount, useDerived, useTopic } from '../hooks/chain';
import { useSession } from '../hooks/session';
import { MAX_MAKERS, placeOrder, worstPrice } from '../lib/actions';
import { formatDecimal, parseDecimal } from '../lib/decimal';
import { ofProgram } from '../lib/problems';
import { MONEY_SCALE, averagePrice, parsePrice, parseSize, percent, price, priceScale, size, usd } from '../lib/units';
import type { MarketInfo, OrderInput, Preview, Standing } from '../wasm/ballast_wasm';
import { Choice } from './Choice';
import { DepositDialog } from './Money';
import { entryPrice } from './MarketBar';

type Kind = 'market' | 'limit';
type Unit = 'base' | 'usd' | 'percent';
const UNITS: Unit[] = ['base', 'usd', 'percent'];
const STEPS = [10, 25, 50, 75, 100];

/** What stands in the ticket. */
export interface TicketForm {
  buys: boolean;
  kind: Kind;
  unit: Unit;
  amount: string;
  limit: string;
  slippage: string;
  postOnly: boolean;
  immediate: boolean;
  reduceOnly: boolean;
}

/** The ticket's price and lots as integers. `most` is what the account could trade at most, for per cent. */
export function orderOf(form: TicketForm, market: MarketInfo, most: bigint): OrderInput | string {
  const { buys, kind, unit, amount, reduceOnly } = form;
  const slippage = parseDecimal(form.slippage, 2);
  if (slippage === null || slippage > 5_000n) return 'Slippage is a part of the price: 0.5 means half a per cent.';
  const limit = kind === 'market' ? worstPrice(market, buys, slippage) : parsePrice(form.limit, market);
  if (limit === null || limit === 0n) return 'Enter a price.';
  const valueAt = kind === 'market' ? market.mark : limit;
  let lots: bigint | null;
  if (unit === 'base') lots = parseSize(amount, market);
  else if (unit === 'usd') {
    const value = parseDecimal(amount, MONEY_SCALE);
    lots = value === null ? null : value / valueAt;
  } else {
    const part = parseDecimal(amount, 2);
    if (part !== null && part > 10_000n) return 'At most 100 per cent.';
    lots = part === null ? null : (most * part) / 10_000n;
  }
  if (lots === null) return 'Enter a size.';
  if (lots === 0n) return unit === 'percent' && most === 0n ? 'Nothing can be traded: deposit, or choose the other side.' : 'The size is zero.';
  if (lots < market.minLots && !reduceOnly) return `The smallest order is ${size(market.minLots, market)} ${market.symbol}.`;
  const resting = kind === 'limit' && !form.immediate && !reduceOnly;
  return {
    market: market.index,
    buys,
    kind: resting ? (form.postOnly ? 'postOnly' : 'limit') : 'immediateOrCancel',
    price: limit,
    lots,
    reduceOnly,
    maxMakers: MAX_MAKERS,
  };
}

const EMPTY: TicketForm = {
  buys: true,
  kind: 'market',
  unit: 'usd',
  amount: '',
  limit: '',
  slippage: '0.5',
  postOnly: false,
  immediate: false,
  reduceOnly: false,
};

export function Ticket({ market, picked }: { market: MarketInfo; picked: { price: bigint } | null }) {
  const { chain, run, connected } = useSession();
  const account = useAccount();
  const [form, setForm] = useState<TicketForm>(EMPTY);
  const [depositing, setDepositing] = useState(false);
  const book = useTopic(`book:${market.index}`);
  const set = (change: Partial<TicketForm>): void => setForm((before) => ({ ...before, ...change }));

  useEffect(() => {
    if (picked) set({ kind: 'limit', limit: formatDecimal(picked.price, priceScale(market)).replaceAll(',', '') });
  }, [picked, market]);

  const address = account?.address;
  const { buys, kind, limit, slippage, reduceOnly } = form;
  const most = useDerived([chain, account, book, market, buys, kind, limit, slippage, reduceOnly, form.unit], () => {
    const probe = orderOf({ ...form, unit: 'base', amount: size(market.minLots, market) }, market, 0n);
    // A search with some forty previews, so only where it is needed.
    if (typeof probe === 'string' || !address || form.unit !== 'percent') return 0n;
    return chain.ask((desk) => desk.maxLots(address, probe)) ?? 0n;
  });
  const order = orderOf(form, market, most);
  const preview = useDerived([chain, account, book, market, form, most], () =>
    typeof order === 'string' || !address ? null : chain.ask((desk) => desk.preview(address, order)),
  );

  const refusal = preview?.refusal ? ofProgram(preview.refusal) : null;
  const side = form.buys ? 'Buy' : 'Sell';
  const symbol = market.symbol;
  const ready = typeof order !== 'string' && account !== null && preview !== null && refusal === null;
  const submit = async (): Promise<void> => {
    if (typeof order === 'string' || !account || !connected) return;
    const title = `${side} ${size(order.lots, market)} ${symbol}${form.kind === 'limit' ? ` at ${price(order.price, market)}` : ''}`;
    const done = await run(title, () => [placeOrder(chain.markets(), account, connected.account.address, order)]);
    if (done) set({ amount: '' });
  };

  return (
    <>
    <form
      aria-label="Order"
      className="grid content-start gap-3 p-3"
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      <div role="group" aria-label="Side" className="grid grid-cols-2 gap-1 rounded bg-raised p-1">
        {[true, false].map((buys) => (
          <button
            key={String(buys)}
            type="button"
            aria-pressed={form.buys === buys}
            onClick={() => set({ buys })}
            className={`button py-1.5 ${
              form.buys === buys ? (buys ? 'bg-up-soft text-up ring-1 ring-up' : 'bg-down-soft text-down ring-1 ring-down') : 'text-muted'
            }`}
          >
            {buys ? 'Buy / Long' : 'Sell / Short'}
          </button>
        ))}
      </div>
      <Choice
        label="Order type"
        options={[
          ['market', 'Market'],
          ['limit', 'Limit'],
        ]}
        value={form.kind}
        onChange={(kind) => set({ kind, limit: form.limit || price(market.mark, market).replaceAll(',', '') })}
      />
      {form.kind === 'limit' && (
        <label className="grid gap-1">
          <span className="text-muted">Price (USD)</span>
          <input className="field" inputMode="decimal" value={form.limit} onChange={({ target }) => set({ limit: target.value })} />
        </label>
      )}
      <div className="grid gap-1">
        <label htmlFor="amount" className="text-muted">Size</label>
        <div className="flex gap-1">
          <input
            id="amount"
            className="field"
            inputMode="decimal"
            placeholder="0"
            autoComplete="off"
            value={form.amount}
            onChange={({ target }) => set({ amount: target.value })}
          />
          <select aria-label="Unit of the size" className="cursor-pointer rounded border border-line bg-raised px-1" value={form.unit} onChange={({ target }) => set({ unit: target.value as Unit, amount: '' })}>
            {UNITS.map((unit) => (
              <option key={unit} value={unit}>{unit === 'base' ? symbol : unit === 'usd' ? 'USD' : '%'}</option>
            ))}
          </select>
        </div>
        <div role="group" aria-label="Part of the most possible" className="grid grid-cols-5 gap-1">
          {STEPS.map((step) => (
            <button key={step} type="button" className="plain px-0 py-0.5 text-2xs" disabled={!account} onClick={() => set({ unit: 'percent', amount: String(step) })}>
              {step} %
            </button>
          ))}
        </div>
      </div>
      <div className="grid gap-1.5">
        {form.kind === 'market' ? (
          <label className="flex items-center justify-between gap-2">
            <span className="text-muted">Slippage at most (%)</span>
            <input className="field w-20 text-right" inputMode="decimal" value={form.slippage} onChange={({ target }) => set({ slippage: target.value })} />
          </label>
        ) : (
          <>
            <Check label="Post only" disabled={form.immediate || form.reduceOnly} checked={form.postOnly} onChange={(postOnly) => set({ postOnly })} />
            <Check label="Immediate or cancel" disabled={form.postOnly || form.reduceOnly} checked={form.immediate} onChange={(immediate) => set({ immediate })} />
          </>
        )}
        <Check label="Reduce only" checked={form.reduceOnly} onChange={(reduceOnly) => set({ reduceOnly, postOnly: false })} />
      </div>
      {account ? (
        <button
          type="submit"
          disabled={!ready}
          className={`button py-2 ${form.buys ? 'bg-up text-bg' : 'bg-down text-bg'}`}
          data-testid="submit-order"
        >
          {side} {typeof order === 'string' ? symbol : `${size(order.lots, market)} ${symbol}`}
        </button>
      ) : (
        <button type="button" className="primary py-2" disabled={!connected} onClick={() => setDepositing(true)}>
          {connected ? 'Deposit to trade' : 'Connect a wallet to trade'}
        </button>
      )}
      {account && typeof order === 'string' && form.amount !== '' && <p className="text-warn">{order}</p>}
      {refusal && (
        <p role="alert" className="text-down">
          {refusal.title}
          {refusal.detail && <span className="block text-muted">{refusal.detail}</span>}
        </p>
      )}
      <PreviewTable market={market} order={typeof order === 'string' ? null : order} preview={preview} />
    </form>
    {depositing && <DepositDialog onClose={() => setDepositing(false)} />}
    </>
  );
}

interface CheckProps {
  label: string;
  checked: boolean;
  disabled?: boolean;
  onChange: (checked: boolean) => void;
}

function Check({ label, checked, disabled = false, onChange }: CheckProps) {
  return (
    <label className={`flex items-center gap-2 ${disabled ? 'opacity-60' : 'cursor-pointer'}`}>
      <input type="checkbox" className="size-3.5 accent-(--accent)" checked={checked && !disabled} disabled={disabled} onChange={({ target }) => onChange(target.checked)} />
      {label}
    </label>
  );
}

/** Equity over notional in per cent of one: how many times its money an account holds. */
function leverage({ notional, equity }: Standing): string {
  return equity <= 0n ? '–' : `${formatDecimal((notional * 100n) / equity, 2, { min: 2, max: 2 })}×`;
}

function PreviewTable({ market, order, preview }: { market: MarketInfo; order: OrderInput | null; preview: Preview | null }) {
  if (!order || !preview) return null;
  const { before, after, filled, quote, fee, rests, dropped, makers } = preview;
  const average = averagePrice(quote, filled);
  const impact = average === null ? null : ((order.buys ? average - market.mark : market.mark - average) * 1_000_000n) / market.mark;
  return (
    <dl className="grid gap-1 border-t border-line pt-2" data-testid="preview">
      {average !== null && (
        <>
          <Line name="Average entry" value={price(average, market)} />
          <Line name="Against the mark" value={impact === null ? '–' : `${formatDecimal(impact, 4, { min: 3, max: 3, sign: true })} %`} />
          <Line name="Fills now" value={`${size(filled, market)} ${market.symbol}, ${makers} ${makers === 1 ? 'order' : 'orders'}`} />
        </>
      )}
      {rests > 0n && <Line name="Rests in the book" value={`${size(rests, market)} ${market.symbol}`} />}
      {dropped > 0n && <Line name="Not filled" value={`${size(dropped, market)} ${market.symbol}`} warn />}
      <Line name="Fee" value={usd(fee, 4)} />
      <Change name="Position" before={size(before.lots, market)} after={size(after.lots, market)} />
      {after.lots !== 0n && <Line name="Entry afterwards" value={price(entryPrice(after.basis, after.lots), market)} />}
      <Change name="Leverage" before={leverage(before)} after={leverage(after)} />
      <Change name="Initial margin" before={usd(before.initial)} after={usd(after.initial)} />
      <Change
        name="Margin ratio"
        before={before.marginRatioBps === undefined ? '–' : percent(before.marginRatioBps, 0)}
        after={after.marginRatioBps === undefined ? '–' : percent(after.marginRatioBps, 0)}
      />
      <Change
        name="Liquidation price"
        before={before.liquidationPrice === undefined ? '–' : price(before.liquidationPrice, market)}
        after={after.liquidationPrice === undefined ? '–' : price(after.liquidationPrice, market)}
        testId="preview-liquidation"
      />
    </dl>
  );
}

function Line({ name, value, warn = false }: { name: string; value: ReactNode; warn?: boolean }) {
  return (
    <div className="flex justify-between gap-2">
      <dt className="text-muted">{name}</dt>
      <dd className={`num text-right ${warn ? 'text-warn' : ''}`}>{value}</dd>
    </div>
  );
}

function Change({ name, before, after, testId }: { name: string; before: string; after: string; testId?: string }) {
  return (
    <div className="flex justify-between gap-2">
      <dt className="text-muted">{name}</dt>
      <dd className="num text-right" data-testid={testId}>
        {before !== after && <span className="text-muted">{before} → </span>}
        {after}
      </dd>
    </div>
  );
}
