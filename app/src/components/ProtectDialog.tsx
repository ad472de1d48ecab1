// Protecting a position: take-profit and stop (each cancels the other), or a trailing stop; and editing what is there.
import { useState } from 'react';

import { useNow } from '../hooks/chain';
import { useSession } from '../hooks/session';
import { editTrigger, placeTriggers, type TriggerInput } from '../lib/protection';
import { price } from '../lib/units';
import type { AccountInfo, MarketInfo, PositionInfo, TriggerInfo } from '../wasm/ballast_wasm';
import { Choice } from './Choice';
import { Dialog } from './Dialog';
import { NumberField, typed } from './Field';
import { TriggerFields, outcome } from './TriggerFields';
import { emptyForm, formOf, triggerOf, type TriggerForm } from './triggerForm';

type Mode = 'pair' | 'trailing';

interface Props {
  account: AccountInfo;
  position: PositionInfo;
  market: MarketInfo;
  onClose: () => void;
}

/** Places triggers for a position. */
export function ProtectDialog({ account, position, market, onClose }: Props) {
  const { run, connected } = useSession();
  const now = useNow();
  const [mode, setMode] = useState<Mode>('pair');
  const [profit, setProfit] = useState<TriggerForm>(emptyForm);
  const [stop, setStop] = useState<TriggerForm>(emptyForm);
  const [common, setCommon] = useState({ size: '', hours: '', slippage: '1' });
  const buys = position.lots < 0n;
  const context = { market, buys, reference: market.mark, now };
  const filled = (form: TriggerForm): boolean => form.at.trim() !== '';
  const inputs: (TriggerInput | string)[] = [];
  if (mode === 'trailing') inputs.push(triggerOf({ ...stop, ...common, trails: true }, { ...context, stop: true }));
  else {
    if (filled(profit)) inputs.push(triggerOf({ ...profit, ...common }, { ...context, stop: false }));
    if (filled(stop)) inputs.push(triggerOf({ ...stop, ...common }, { ...context, stop: true }));
  }
  const problem = inputs.find((input) => typeof input === 'string');
  const ready = inputs.filter((input): input is TriggerInput => typeof input !== 'string');
  const valid = ready.length > 0 && problem === undefined;
  const submit = async (): Promise<void> => {
    const [first, second] = ready;
    if (!connected || !valid || !first) return;
    onClose();
    const title = mode === 'trailing' ? 'Place a trailing stop' : second ? 'Place take-profit and stop' : first.stop ? 'Place a stop' : 'Place a take-profit';
    await run(`${title} for ${market.symbol}`, () => [placeTriggers(market, account, connected.account.address, first, second ?? null)]);
  };
  return (
    <Dialog title={`Protect ${market.symbol} ${buys ? 'short' : 'long'}`} onClose={onClose}>
      <form
        className="grid gap-3"
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        <Choice label="What to place" options={[['pair', 'Take-profit / stop'], ['trailing', 'Trailing stop']]} value={mode} onChange={setMode} />
        <p className="text-muted">
          The mark is <span className="num">{price(market.mark, market)}</span>
          {position.liquidationPrice !== undefined && (
            <>
              , liquidation at <span className="num text-warn">{price(position.liquidationPrice, market)}</span>
            </>
          )}
          .
        </p>
        {mode === 'pair' ? (
          <>
            <TriggerFields label="Take profit" form={profit} onChange={(change) => setProfit((form) => ({ ...form, ...change }))} market={market} autoFocus />
            <TriggerFields label="Stop loss" form={stop} onChange={(change) => setStop((form) => ({ ...form, ...change }))} market={market} />
          </>
        ) : (
          <TriggerFields label="Stop" form={{ ...stop, trails: true }} onChange={(change) => setStop((form) => ({ ...form, ...change }))} market={market} autoFocus />
        )}
        <div className="grid grid-cols-3 gap-2">
          <NumberField label="Size" unit={market.symbol} placeholder="whole" value={common.size} onChange={(size) => setCommon({ ...common, size })} />
          <NumberField label="Slippage" unit="%" value={common.slippage} onChange={(slippage) => setCommon({ ...common, slippage })} />
          <NumberField label="Hours" unit="h" placeholder="no end" value={common.hours} onChange={(hours) => setCommon({ ...common, hours })} />
        </div>
        {mode === 'pair' &&
          ready.map((input) => (
            <p key={String(input.stop)} className="num text-muted">
              {input.stop ? 'Stop' : 'Take-profit'}: {outcome(position, input.price, input.lots, market)}
            </p>
          ))}
        {mode === 'pair' && ready.length === 2 && <p className="text-muted">What one of them trades comes off the other.</p>}
        {problem && filled(mode === 'trailing' ? stop : filled(profit) ? profit : stop) && <p className="text-warn">{problem}</p>}
        <button type="submit" className="primary" disabled={!valid}>Place</button>
      </form>
    </Dialog>
  );
}

interface EditProps {
  account: AccountInfo;
  trigger: TriggerInfo;
  market: MarketInfo;
  /** Where it was dragged. */
  at?: bigint;
  onClose: () => void;
}

/** Gives a trigger new terms, after showing what they mean. */
export function EditTriggerDialog({ account, trigger, market, at, onClose }: EditProps) {
  const { run, connected } = useSession();
  const now = useNow();
  const [form, setForm] = useState<TriggerForm>(() => {
    const before = formOf(trigger, market);
    return at === undefined ? before : { ...before, at: typed(price(at, market)) };
  });
  const position = account.positions.find((held) => held.market === market.index);
  const { buys, stop, expiresAt } = trigger;
  const reference = trigger.waits ? (stop === buys ? 0n : BigInt(Number.MAX_SAFE_INTEGER)) : market.mark;
  const input = triggerOf(form, { market, buys, stop, reference, now, expiresAt });
  const name = form.trails ? 'trailing stop' : stop ? 'stop' : 'take-profit';
  const submit = async (): Promise<void> => {
    if (!connected || typeof input === 'string') return;
    onClose();
    await run(`Move the ${name} of ${market.symbol}`, () => [editTrigger(market, account, connected.account.address, trigger.id, input)]);
  };
  return (
    <Dialog title={`${at === undefined ? 'Edit' : 'Move'} the ${name} of ${market.symbol}`} onClose={onClose}>
      <form
        className="grid gap-3"
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        {at !== undefined && (
          <p className="num" data-testid="moved">
            <span className="text-muted">{price(trigger.price, market)} → </span>
            {form.at}
          </p>
        )}
        <TriggerFields label={stop ? 'Stop' : 'Take profit'} form={form} onChange={(change) => setForm((before) => ({ ...before, ...change }))} market={market} autoFocus />
        <div className="grid grid-cols-3 gap-2">
          {/* Both of a pair have the same size. */}
          <NumberField label="Size" unit={market.symbol} placeholder="whole" value={form.size} disabled={trigger.pair !== undefined || trigger.pairOrder !== undefined} onChange={(size) => setForm({ ...form, size })} />
          <NumberField label="Slippage" unit="%" value={form.slippage} disabled={form.limit !== ''} onChange={(slippage) => setForm({ ...form, slippage })} />
          <NumberField label="Hours" unit="h" placeholder={expiresAt === 0n ? 'no end' : 'as it is'} value={form.hours} onChange={(hours) => setForm({ ...form, hours })} />
        </div>
        {typeof input !== 'string' && position && input.price > 0n && <p className="num text-muted">{outcome(position, input.price, input.lots, market)}</p>}
        {typeof input === 'string' && <p className="text-warn">{input}</p>}
        <button type="submit" className="primary" disabled={typeof input === 'string'}>{at === undefined ? 'Change' : 'Move it there'}</button>
      </form>
    </Dialog>
  );
}
