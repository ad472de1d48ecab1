// The small parts that forms and tables of facts are made of.
import { useId, type ReactNode } from 'react';

interface FieldProps {
  label: string;
  value: string;
  onChange: (value: string) => void;
  /** What the number counts, behind it. */
  unit?: string;
  placeholder?: string;
  /** Said below, for instance what is wrong. */
  hint?: ReactNode;
  autoFocus?: boolean;
  disabled?: boolean;
}

/** A number to type. */
export function NumberField({ label, value, onChange, unit, placeholder, hint, autoFocus, disabled }: FieldProps) {
  const id = useId();
  return (
    <div className="grid min-w-0 content-start gap-1">
      <label htmlFor={id} className="truncate text-muted">{label}</label>
      <div className="relative">
        <input
          id={id}
          className={`field num ${unit ? 'pr-10' : ''}`}
          inputMode="decimal"
          autoComplete="off"
          placeholder={placeholder}
          autoFocus={autoFocus}
          disabled={disabled}
          value={value}
          onChange={({ target }) => onChange(target.value)}
        />
        {unit && <span aria-hidden="true" className="pointer-events-none absolute inset-y-0 right-2 grid place-items-center text-2xs text-muted">{unit}</span>}
      </div>
      {hint && <p className="text-2xs text-muted">{hint}</p>}
    </div>
  );
}

interface CheckProps {
  label: string;
  checked: boolean;
  disabled?: boolean;
  title?: string;
  onChange: (checked: boolean) => void;
}

/** A box to tick. */
export function Check({ label, checked, disabled = false, title, onChange }: CheckProps) {
  return (
    <label title={title} className={`flex items-center gap-2 ${disabled ? 'opacity-60' : 'cursor-pointer'}`}>
      <input type="checkbox" className="size-3.5 accent-(--accent)" checked={checked && !disabled} disabled={disabled} onChange={({ target }) => onChange(target.checked)} />
      {label}
    </label>
  );
}

interface SelectProps<T extends string> {
  label: string;
  value: T;
  options: readonly (readonly [T, string])[];
  onChange: (value: T) => void;
}

/** One of a few, as a list that opens, with its name before it. */
export function Select<T extends string>({ label, value, options, onChange }: SelectProps<T>) {
  const id = useId();
  return (
    <div className="flex items-center justify-between gap-2">
      <label htmlFor={id} className="text-muted">{label}</label>
      <select id={id} className="cursor-pointer rounded border border-line bg-raised px-1.5 py-1" value={value} onChange={({ target }) => onChange(target.value as T)}>
        {options.map(([option, text]) => (
          <option key={option} value={option}>{text}</option>
        ))}
      </select>
    </div>
  );
}

/** A fact in a list of facts. */
export function Line({ name, value, warn = false, testId }: { name: string; value: ReactNode; warn?: boolean; testId?: string }) {
  return (
    <div className="flex justify-between gap-2">
      <dt className="text-muted">{name}</dt>
      <dd className={`num text-right ${warn ? 'text-warn' : ''}`} data-testid={testId}>{value}</dd>
    </div>
  );
}

/** A fact that changes. */
export function Change({ name, before, after, testId }: { name: string; before: string; after: string; testId?: string }) {
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

/** Why something will not be done. */
export function Refusal({ title, detail }: { title: string; detail?: string }) {
  return (
    <p role="alert" className="text-down">
      {title}
      {detail && <span className="block text-muted">{detail}</span>}
    </p>
  );
}

/** A number as somebody would type it. */
export function typed(text: string): string {
  return text.replaceAll(',', '').replace('−', '-');
}
