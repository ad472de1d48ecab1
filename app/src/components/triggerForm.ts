// A trigger as it is typed, and as the program takes it.
import { formatDecimal, parseDecimal } from '../lib/decimal';
import { TRAIL_PPM, TRIGGER_SLIPPAGE_BPS, triggerProblem, type TriggerInput } from '../lib/protection';
import { parsePrice, parseSize, percent, price, size } from '../lib/units';
import type { MarketInfo, TriggerInfo } from '../wasm/ballast_wasm';
import { typed } from './Field';

/** What stands in the fields of one trigger. */
export interface TriggerForm {
  /** Where it fires, in dollars; in per cent of the best mark if it trails. */
  at: string;
  trails: boolean;
  /** The price of its limit order; empty for a market order. */
  limit: string;
  /** Of a market order, in per cent. */
  slippage: string;
  /** Empty for the whole position. */
  size: string;
  /** Hours for which it stands; empty for ever. */
  hours: string;
}

/** An empty form. */
export function emptyForm(): TriggerForm {
  return { at: '', trails: false, limit: '', slippage: formatDecimal(BigInt(TRIGGER_SLIPPAGE_BPS), 2), size: '', hours: '' };
}

/** The form of a trigger that is there. Its expiry is left as it is unless hours are typed. */
export function formOf(trigger: TriggerInfo, market: MarketInfo): TriggerForm {
  const { trailPpm, limit, lots, slippageBps } = trigger;
  return {
    at: trailPpm === undefined ? typed(price(trigger.price, market)) : formatDecimal(BigInt(trailPpm), 4),
    trails: trailPpm !== undefined,
    limit: limit === undefined ? '' : typed(price(limit, market)),
    slippage: formatDecimal(BigInt(slippageBps ?? TRIGGER_SLIPPAGE_BPS), 2),
    size: lots === undefined ? '' : typed(size(lots, market)),
    hours: '',
  };
}

/** What a trigger reduces, and when it is. */
export interface TriggerContext {
  market: MarketInfo;
  /** Whether its order buys. */
  buys: boolean;
  stop: boolean;
  /** The mark, or the price of the entry that it waits for. */
  reference: bigint;
  /** The chain's time. */
  now: number;
  /** When it ends if no hours are typed. */
  expiresAt?: bigint;
}

/** The trigger that a form says; or what is wrong with it. */
export function triggerOf(form: TriggerForm, context: TriggerContext): TriggerInput | string {
  const { market, buys, stop, reference, now } = context;
  const slippage = parseDecimal(form.slippage, 2);
  if (slippage === null || slippage > 5_000n) return 'Slippage is a part of the price: 1 means one per cent.';
  let limit: bigint | null = null;
  if (form.limit.trim() !== '') {
    limit = parsePrice(form.limit, market);
    if (limit === null || limit === 0n) return 'The limit is a price.';
  }
  let lots: bigint | null = null;
  if (form.size.trim() !== '') {
    lots = parseSize(form.size, market);
    if (lots === null || lots === 0n) return 'Enter a size, or none for the whole position.';
  }
  let expiresAt = context.expiresAt ?? 0n;
  if (form.hours.trim() !== '') {
    const seconds = parseDecimal(form.hours, 4);
    if (seconds === null || seconds === 0n) return 'Hours are a number.';
    expiresAt = BigInt(now) + (seconds * 3_600n) / 10_000n;
  }
  const common = { buys, stop, lots, limit, slippageBps: Number(slippage), expiresAt };
  if (form.trails) {
    const ppm = parseDecimal(form.at, 4);
    if (ppm === null || ppm < TRAIL_PPM.least || ppm > TRAIL_PPM.most) {
      return `A stop trails by ${percent(TRAIL_PPM.least / 100n)} to ${percent(TRAIL_PPM.most / 100n, 0)}.`;
    }
    return { ...common, price: 0n, trailPpm: Number(ppm) };
  }
  const at = parseDecimal(form.at, 6 - market.lotExponent);
  if (at === null) return 'Enter a price.';
  const input = { ...common, price: at, trailPpm: 0 };
  return triggerProblem(input, reference) ?? input;
}
