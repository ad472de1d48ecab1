// Exact decimal text of integers that count the smallest unit, and back. No floating point, so nothing that is shown
// differs from what is sent.

/** How many digits after the point to show. */
export interface Digits {
  /** At least; zeros fill up. */
  min?: number;
  /** At most; what is beyond is cut off (towards zero). */
  max?: number;
  /** Whether a positive number gets its sign, too. */
  sign?: boolean;
}

function power(digits: number): bigint {
  return 10n ** BigInt(digits);
}

/** `value` × 10^−`scale` as text, thousands separated by commas. */
export function formatDecimal(value: bigint, scale: number, digits: Digits = {}): string {
  const negative = value < 0n;
  let magnitude = negative ? -value : value;
  if (scale < 0) {
    magnitude *= power(-scale);
    scale = 0;
  }
  const max = Math.min(digits.max ?? scale, scale);
  const min = Math.min(digits.min ?? 0, digits.max ?? Infinity);
  magnitude /= power(scale - max);
  const one = power(max);
  const whole = (magnitude / one).toString().replace(/\B(?=(\d{3})+$)/g, ',');
  let fraction = max === 0 ? '' : (magnitude % one).toString().padStart(max, '0').replace(/0+$/, '');
  fraction = fraction.padEnd(min, '0');
  const sign = magnitude === 0n ? '' : negative ? '−' : digits.sign ? '+' : '';
  return sign + whole + (fraction === '' ? '' : `.${fraction}`);
}

/** What text says in units of 10^−`scale`; more digits than that are cut off. `null` when it is not a positive number. */
export function parseDecimal(text: string, scale: number): bigint | null {
  const match = /^(\d*)(?:\.(\d*))?$/.exec(text.replaceAll(',', '').trim());
  const [whole = '', fraction = ''] = match?.slice(1) ?? [];
  if (!match || (whole === '' && fraction === '')) return null;
  const cut = fraction.slice(0, Math.max(scale, 0)).padEnd(Math.max(scale, 0), '0');
  const value = BigInt((whole === '' ? '0' : whole) + cut);
  return scale < 0 ? value / power(-scale) : value;
}

/** As `parseDecimal`, of a number that may be negative. */
export function parseSigned(text: string, scale: number): bigint | null {
  const trimmed = text.trim();
  const negative = /^[-−]/.test(trimmed);
  const magnitude = parseDecimal(trimmed.replace(/^[-−+]/, ''), scale);
  return magnitude === null ? null : negative ? -magnitude : magnitude;
}
