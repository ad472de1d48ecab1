// Amounts as people read them. Money is counted in atoms of a dollar (10^-6), sizes in lots of 10^-lotExponent of the base
// asset, prices in atoms per lot.
import { formatDecimal, parseDecimal } from './decimal';

/** Digits after the point of an atom. */
export const MONEY_SCALE = 6;
/** Basis points in one. */
export const BPS = 10_000n;

/** What a market says about its units. */
export interface MarketUnits {
  lotExponent: number;
  symbol: string;
}

/** Digits after the point of a price in dollars per base asset. */
export function priceScale(market: MarketUnits): number {
  return MONEY_SCALE - market.lotExponent;
}

/** Dollars, to the cent unless more digits are asked for. */
export function usd(atoms: bigint, digits = 2, sign = false): string {
  return formatDecimal(atoms, MONEY_SCALE, { min: Math.min(digits, 2), max: digits, sign });
}

/** Dollars in as few characters as a table cell has: 1.25M. */
export function usdShort(atoms: bigint): string {
  const magnitude = atoms < 0n ? -atoms : atoms;
  const steps: [bigint, number, string][] = [
    [1_000_000_000_000_000n, 15, 'B'],
    [1_000_000_000_000n, 12, 'M'],
    [10_000_000_000n, 9, 'K'],
  ];
  for (const [from, scale, suffix] of steps) {
    if (magnitude >= from) return formatDecimal(atoms, scale, { min: 2, max: 2 }) + suffix;
  }
  return usd(atoms);
}

/** A price in dollars per base asset, with all its digits. */
export function price(atomsPerLot: bigint, market: MarketUnits): string {
  const scale = priceScale(market);
  return formatDecimal(atomsPerLot, scale, { min: Math.max(scale, 0) });
}

/** The price that text says, in atoms per lot, rounded down to a multiple of the tick. */
export function parsePrice(text: string, market: MarketUnits & { tick: bigint }): bigint | null {
  const value = parseDecimal(text, priceScale(market));
  return value === null ? null : value - (value % market.tick);
}

/** A size in the base asset. `even` fills up with zeros, for columns. */
export function size(lots: bigint, market: MarketUnits, even = false): string {
  return formatDecimal(lots, market.lotExponent, { min: even ? market.lotExponent : 0 });
}

/** The lots that text says in the base asset. */
export function parseSize(text: string, market: MarketUnits): bigint | null {
  return parseDecimal(text, market.lotExponent);
}

/** Basis points as per cent. */
export function percent(bps: bigint | number, digits = 2): string {
  return `${formatDecimal(BigInt(bps), 2, { min: digits, max: digits })} %`;
}

/** An hourly rate in billionths as per cent. */
export function rate(ppb: bigint): string {
  return `${formatDecimal(ppb, 7, { min: 4, max: 4, sign: true })} %`;
}

/** A part of a whole as per cent, exact to the digits shown. */
export function share(part: bigint, whole: bigint, digits = 2): string {
  if (whole === 0n) return '–';
  return `${formatDecimal((part * 10n ** BigInt(digits + 2)) / whole, digits, { min: digits, max: digits })} %`;
}

/** Average price of `lots` for `quote`, in atoms per lot, rounded to the nearest. */
export function averagePrice(quote: bigint, lots: bigint): bigint | null {
  const [q, l] = [quote < 0n ? -quote : quote, lots < 0n ? -lots : lots];
  return l === 0n ? null : (q + l / 2n) / l;
}

/** The beginning and end of an address. */
export function shortAddress(address: string): string {
  return address.length <= 9 ? address : `${address.slice(0, 4)}…${address.slice(-4)}`;
}

/** Absolute value. */
export function abs(value: bigint): bigint {
  return value < 0n ? -value : value;
}
