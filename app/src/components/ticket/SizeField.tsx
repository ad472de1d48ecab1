import type { Unit } from './form';

const STEPS = [10, 25, 50, 75, 100];

interface Props {
  symbol: string;
  unit: Unit;
  amount: string;
  /** Shown while the field is empty. */
  placeholder: string;
  /** Whether there is an account whose means a part can be taken of. */
  parts: boolean;
  onChange: (change: { unit?: Unit; amount: string }) => void;
}

/** The size, in the unit that somebody thinks in. */
export function SizeField({ symbol, unit, amount, placeholder, parts, onChange }: Props) {
  const units: [Unit, string][] = [
    ['base', symbol],
    ['usd', 'USD'],
    ['percent', '% of max'],
    ['leverage', '× equity'],
  ];
  return (
    <div className="grid gap-1">
      <label htmlFor="amount" className="text-muted">Size</label>
      <div className="flex gap-1">
        <input id="amount" className="field num" inputMode="decimal" placeholder={placeholder} autoComplete="off" value={amount} onChange={({ target }) => onChange({ amount: target.value })} />
        <select aria-label="Unit of the size" className="w-24 shrink-0 cursor-pointer rounded border border-line bg-raised px-1" value={unit} onChange={({ target }) => onChange({ unit: target.value as Unit, amount: '' })}>
          {units.map(([option, words]) => (
            <option key={option} value={option}>{words}</option>
          ))}
        </select>
      </div>
      <div role="group" aria-label="Part of the most possible" className="grid grid-cols-5 gap-1">
        {STEPS.map((step) => (
          <button key={step} type="button" className="plain px-0 py-0.5 text-2xs" disabled={!parts} aria-pressed={unit === 'percent' && amount === String(step)} onClick={() => onChange({ unit: 'percent', amount: String(step) })}>
            {step} %
          </button>
        ))}
      </div>
    </div>
  );
}
