import { averagePrice, price, size, usd } from '../lib/units';
import type { MarketInfo } from '../wasm/ballast_wasm';
import { NumberField } from './Field';
import type { TriggerForm } from './triggerForm';

interface Props {
  label: string;
  form: TriggerForm;
  onChange: (change: Partial<TriggerForm>) => void;
  market: MarketInfo;
  autoFocus?: boolean;
}

/** Where one trigger fires and what it then places. */
export function TriggerFields({ label, form, onChange, market, autoFocus }: Props) {
  return (
    <div role="group" aria-label={label} className="grid grid-cols-2 gap-2">
      <NumberField
        label={form.trails ? `${label}: behind by` : `${label} at`}
        unit={form.trails ? '%' : 'USD'}
        placeholder={form.trails ? '2' : price(market.mark, market)}
        value={form.at}
        onChange={(at) => onChange({ at })}
        autoFocus={autoFocus}
      />
      <NumberField label="then limit (empty: market)" unit="USD" placeholder="market" value={form.limit} onChange={(limit) => onChange({ limit })} />
    </div>
  );
}

/** What closing `lots` of a position at a price would make of it. */
export function outcome(position: { lots: bigint; basis: bigint }, at: bigint, lots: bigint | null, market: MarketInfo): string {
  const held = position.lots < 0n ? -position.lots : position.lots;
  const entry = averagePrice(position.basis, position.lots);
  if (entry === null) return '';
  const part = lots === null || lots > held ? held : lots;
  const gain = (position.lots > 0n ? at - entry : entry - at) * part;
  return `${size(part, market)} ${market.symbol} there: ${usd(gain, 2, true)}`;
}
