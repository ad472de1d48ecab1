// What stands in the ticket, and what it says as exact integers: an order with what protects it, or a stop.
import { parseDecimal, parseSigned } from '../../lib/decimal';
import { worstPrice } from '../../lib/orders';
import type { TriggerInput } from '../../lib/protection';
import { MONEY_SCALE, abs, parsePrice, parseSize, priceScale, size } from '../../lib/units';
import type { AccountInfo, MarketInfo, OrderInput, SelfTradeMode } from '../../wasm/ballast_wasm';
import { emptyForm, triggerOf } from '../triggerForm';

/** What is ordered. */
export type Kind = 'market' | 'limit' | 'stop' | 'pegged';
/** What the size counts: the asset, dollars, per cent of the most that is possible, multiples of the account's equity. */
export type Unit = 'base' | 'usd' | 'percent' | 'leverage';
/** How long an order lives: until cancelled, until a time, at once as far as possible, at once and whole. */
export type Life = 'gtc' | 'gtt' | 'ioc' | 'fok';
/** Whether an order may take: yes, or it is refused, or it slides behind what it would take. */
export type Post = 'take' | 'reject' | 'slide';

/** What stands in the ticket. */
export interface TicketForm {
  buys: boolean;
  kind: Kind;
  unit: Unit;
  amount: string;
  /** The price of a limit order, the limit of a pegged one, the limit of a stop (empty: market). */
  limit: string;
  /** Where a stop fires. */
  trigger: string;
  /** Where a pegged order stands from the mark, in dollars with a sign. */
  offset: string;
  slippage: string;
  life: Life;
  minutes: string;
  post: Post;
  /** What happens where it would meet an order of the same owner. */
  selfTrade: SelfTradeMode;
  reduceOnly: boolean;
  bracket: boolean;
  takeProfit: string;
  stopLoss: string;
  /** Whether the position gets an account of its own. */
  isolated: boolean;
  /** How many times its margin an isolated position is worth. */
  leverage: string;
}

/** An empty ticket. */
export const EMPTY: TicketForm = {
  buys: true,
  kind: 'market',
  unit: 'usd',
  amount: '',
  limit: '',
  trigger: '',
  offset: '0',
  slippage: '0.5',
  life: 'gtc',
  minutes: '60',
  post: 'take',
  selfTrade: 'cancelResting',
  reduceOnly: false,
  bracket: false,
  takeProfit: '',
  stopLoss: '',
  isolated: false,
  leverage: '5',
};

/** What the ticket's numbers are measured by. */
export interface Measure {
  market: MarketInfo;
  /** The most lots that could be traded, for per cent. */
  most: bigint;
  /** The account's equity, for multiples of it. */
  equity: bigint;
  /** The chain's time in unix seconds. */
  now: number;
}

/** Whether the order may match at once. */
export function takes(form: TicketForm): boolean {
  return form.kind !== 'stop' && (!rests(form) || form.post === 'take');
}

/** Whether the order may come to rest. */
export function rests({ kind, life }: TicketForm): boolean {
  return kind === 'pegged' || (kind === 'limit' && life !== 'ioc' && life !== 'fok');
}

function lifeOf(form: TicketForm): OrderInput['kind'] {
  if (!rests(form)) return form.life === 'fok' ? 'fillOrKill' : 'immediateOrCancel';
  return form.post === 'reject' ? 'postOnly' : form.post === 'slide' ? 'postOnlySlide' : 'limit';
}

/** The lots that the ticket says, valued at a price. */
function lotsOf({ unit, amount }: TicketForm, { market, most, equity }: Measure, at: bigint): bigint | string {
  let lots: bigint | null;
  if (unit === 'base') lots = parseSize(amount, market);
  else if (unit === 'usd') {
    const value = parseDecimal(amount, MONEY_SCALE);
    lots = value === null ? null : value / at;
  } else if (unit === 'leverage') {
    const times = parseDecimal(amount, 2);
    lots = times === null ? null : ((equity > 0n ? equity : 0n) * times) / (100n * at);
  } else {
    const part = parseDecimal(amount, 2);
    if (part !== null && part > 10_000n) return 'At most 100 per cent.';
    lots = part === null ? null : (most * part) / 10_000n;
  }
  if (lots === null) return 'Enter a size.';
  if (lots === 0n) return unit === 'percent' && most === 0n ? 'Nothing can be traded: deposit, or choose the other side.' : 'The size is zero.';
  return lots;
}

/** The order that the ticket says; or what is missing. Not for stops. */
export function orderOf(form: TicketForm, measure: Measure): OrderInput | string {
  const { market, now } = measure;
  const { buys, kind, reduceOnly } = form;
  const slippage = parseDecimal(form.slippage, 2);
  if (slippage === null || slippage > 5_000n) return 'Slippage is a part of the price: 0.5 means half a per cent.';
  let limit: bigint | null;
  let peg: bigint | undefined;
  if (kind === 'pegged') {
    const offset = parseSigned(form.offset, priceScale(market));
    if (offset === null) return 'Enter how far from the mark it stands: −10 is ten dollars below.';
    peg = offset - (offset % market.tick);
    // Without a limit it follows the mark to the end of the band as it is now.
    const widest = worstPrice(market, buys, 10_000n);
    limit = form.limit.trim() === '' ? widest : parsePrice(form.limit, market);
  } else limit = kind === 'market' ? worstPrice(market, buys, slippage) : parsePrice(form.limit, market);
  if (limit === null || limit === 0n) return 'Enter a price.';
  const lots = lotsOf(form, measure, kind === 'limit' ? limit : market.mark);
  if (typeof lots === 'string') return lots;
  if (lots < market.minLots && !reduceOnly) return `The smallest order is ${size(market.minLots, market)} ${market.symbol}.`;
  let expiresAt = 0n;
  if (form.life === 'gtt' && rests(form)) {
    const minutes = parseDecimal(form.minutes, 0);
    if (minutes === null || minutes === 0n) return 'Enter for how many minutes it stands.';
    expiresAt = BigInt(now) + minutes * 60n;
  }
  return {
    market: market.index,
    buys,
    kind: lifeOf(form),
    price: limit,
    lots,
    reduceOnly: reduceOnly && kind !== 'pegged',
    expiresAt,
    selfTrade: form.selfTrade,
    ...(peg === undefined ? {} : { peg }),
  };
}

/** The stop or take-profit that a ticket of kind `stop` says, for a position of the account; or what is missing. */
export function stopOf(form: TicketForm, measure: Measure, account: AccountInfo | null): TriggerInput | string {
  const { market, now } = measure;
  const held = account?.positions.find((position) => position.market === market.index)?.lots ?? 0n;
  if (form.buys ? held >= 0n : held <= 0n) {
    const where = account ? ` in account ${account.number + 1}` : '';
    return `A stop reduces: to ${form.buys ? 'buy' : 'sell'} it needs a ${form.buys ? 'short' : 'long'} position${where}.`;
  }
  const at = parseDecimal(form.trigger, priceScale(market));
  if (at === null || at === 0n) return 'Enter where it fires.';
  const whole = form.amount.trim() === '';
  const lots = whole ? null : lotsOf(form, { ...measure, most: abs(held) }, at);
  if (typeof lots === 'string') return lots;
  const trigger = {
    ...emptyForm(),
    at: form.trigger,
    limit: form.limit,
    slippage: form.slippage,
    hours: '',
  };
  const expiresAt = form.life === 'gtt' ? expiry(form, now) : 0n;
  if (expiresAt === null) return 'Enter for how many minutes it stands.';
  // Selling below the mark, or buying above it, is a stop; the other way round it takes profit.
  const stop = form.buys === at > market.mark;
  const said = triggerOf(trigger, { market, buys: form.buys, stop, reference: market.mark, now, expiresAt });
  return typeof said === 'string' ? said : { ...said, lots };
}

function expiry({ minutes }: TicketForm, now: number): bigint | null {
  const value = parseDecimal(minutes, 0);
  return value === null || value === 0n ? null : BigInt(now) + value * 60n;
}

/** What protects the entry: up to two triggers for the whole position, or for the order's lots where there is a position already. */
export function bracketOf(form: TicketForm, measure: Measure, order: OrderInput, held: bigint): TriggerInput[] | string {
  if (!form.bracket || order.reduceOnly || form.kind === 'stop') return [];
  const { market, now } = measure;
  // A resting entry is protected from its own price on, a taking one from the mark.
  const reference = form.kind === 'limit' && rests(form) ? order.price : market.mark;
  const inputs: TriggerInput[] = [];
  for (const [text, stop] of [[form.takeProfit, false], [form.stopLoss, true]] as const) {
    if (text.trim() === '') continue;
    const input = triggerOf({ ...emptyForm(), at: text }, { market, buys: !order.buys, stop, reference, now });
    if (typeof input === 'string') return input;
    inputs.push({ ...input, lots: held === 0n ? null : order.lots });
  }
  return inputs.length === 0 ? 'Enter a take-profit or a stop.' : inputs;
}

/** The margin that an isolated position of this value is given: its value over the leverage, and the fee, rounded up. */
export function isolatedMargin(value: bigint, leverage: string, feePpm: number): bigint | null {
  const times = parseDecimal(leverage, 2);
  if (times === null || times < 100n) return null;
  const fee = (value * BigInt(Math.max(feePpm, 0)) + 999_999n) / 1_000_000n;
  return (value * 100n + times - 1n) / times + fee;
}

/** The most lots whose margin at this leverage the account can pay out. */
export function isolatedMost(withdrawable: bigint, leverage: string, feePpm: number, at: bigint): bigint {
  const times = parseDecimal(leverage, 2);
  if (times === null || times < 100n || at === 0n) return 0n;
  // lots × at × (100/times + fee) ≤ withdrawable
  return (withdrawable * times * 1_000_000n) / (at * (100_000_000n + times * BigInt(Math.max(feePpm, 0))));
}
