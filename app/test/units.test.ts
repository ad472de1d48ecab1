import { describe, expect, it } from 'vitest';

import { formatDecimal, parseDecimal } from '../src/lib/decimal';
import { averagePrice, parsePrice, price, rate, share, usd, usdShort } from '../src/lib/units';

const BTC = { lotExponent: 5, symbol: 'BTC', tick: 1n };
const AVAX = { lotExponent: 2, symbol: 'AVAX', tick: 5n };

describe('decimal text', () => {
  it('shows exact digits and cuts off towards zero', () => {
    expect(formatDecimal(1_234_567_890n, 6)).toBe('1,234.56789');
    expect(formatDecimal(-1_999n, 3, { max: 2 })).toBe('−1.99');
    expect(formatDecimal(5n, 6, { min: 2, max: 2 })).toBe('0.00');
    expect(formatDecimal(-5n, 6, { min: 2, max: 2 })).toBe('0.00');
    expect(formatDecimal(100n, 2, { sign: true })).toBe('+1');
    expect(formatDecimal(12n, -3)).toBe('12,000');
  });

  it('reads what it shows', () => {
    for (const value of [0n, 1n, 999n, 123_456_789n, 10n ** 18n]) expect(parseDecimal(formatDecimal(value, 6), 6)).toBe(value);
  });

  it('refuses what is no number', () => {
    for (const text of ['', '.', '-1', '1e5', '1.2.3', 'x', 'Infinity']) expect(parseDecimal(text, 6)).toBeNull();
    expect(parseDecimal('.5', 6)).toBe(500_000n);
    expect(parseDecimal('0.0000009', 6)).toBe(0n);
  });
});

describe('units', () => {
  it('turns atoms per lot into dollars per base asset', () => {
    expect(price(1_214_005n, BTC)).toBe('121,400.5');
    expect(price(282_000n, AVAX)).toBe('28.2000');
    expect(parsePrice('121400.5', BTC)).toBe(1_214_005n);
    expect(parsePrice('28.20034', AVAX)).toBe(282_000n);
  });

  it('shows money to the cent and large money short', () => {
    expect(usd(1_999_999n)).toBe('1.99');
    expect(usd(-1_500_000n, 2, true)).toBe('−1.50');
    expect(usdShort(1_250_000_000_000n)).toBe('1.25M');
    expect(usdShort(99n)).toBe('0.00');
  });

  it('shows rates and shares', () => {
    expect(rate(-12_345n)).toBe('−0.0012 %');
    expect(share(1n, 3n)).toBe('33.33 %');
    expect(share(1n, 0n)).toBe('–');
    expect(averagePrice(-10n, -4n)).toBe(3n);
  });
});
