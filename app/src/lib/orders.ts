// Orders, as instructions of the generated client.
import { address, createNoopSigner, type Instruction } from '@solana/kit';

import {
  OrderKind as WireKind,
  SelfTradeMode as WireSelfTrade,
  getCancelAllInstruction,
  getCancelOrderInstruction,
  getPlaceOrderInstruction,
  getReplaceOrderInstruction,
  orderRef,
  type OrderArgsArgs,
} from '../generated';
import { maxMakers, type AccountInfo, type Levels, type MarketInfo, type OpenOrder, type OrderInput, type SelfTradeMode } from '../wasm/ballast_wasm';
import { others, withOthers } from './actions';

/** Orders of a market that one instruction cancels. */
const MAX_CANCELLED = 64;

const KINDS: Record<OrderInput['kind'], WireKind> = {
  limit: WireKind.Limit,
  postOnly: WireKind.PostOnly,
  postOnlySlide: WireKind.PostOnlySlide,
  immediateOrCancel: WireKind.ImmediateOrCancel,
  fillOrKill: WireKind.FillOrKill,
};

const SELF_TRADES: Record<SelfTradeMode, WireSelfTrade> = {
  cancelResting: WireSelfTrade.CancelResting,
  cancelTaking: WireSelfTrade.CancelTaking,
  decrement: WireSelfTrade.Decrement,
};

/** The account that orders, or a fresh one that is not on the network yet and has nothing anywhere. */
export type Orderer = Pick<AccountInfo, 'address' | 'positions'>;

/** An owner's own number for an order: the page numbers them by the clock. */
export function newClientId(): bigint {
  return BigInt(Date.now());
}

/** As the program takes it. */
export function orderArgs(order: OrderInput, clientId = newClientId()): OrderArgsArgs {
  return {
    buys: order.buys,
    kind: KINDS[order.kind],
    price: order.price,
    lots: order.lots,
    reduceOnly: order.reduceOnly,
    clientId,
    expiresAt: order.expiresAt ?? 0n,
    selfTrade: SELF_TRADES[order.selfTrade ?? 'cancelResting'],
    maxMakers: order.maxMakers ?? maxMakers(),
    peg: order.peg ?? null,
  };
}

/** The accounts of everything that is done with a market's orders. `trader` is the owner or the delegate. */
function keysOf(market: MarketInfo, account: Orderer, trader: string) {
  return {
    trader: createNoopSigner(address(trader)),
    margin: address(account.address),
    market: address(market.address),
    book: address(market.book),
  };
}

/** Places an order; `clientId` is the owner's own number for it. */
export function placeOrder(markets: readonly MarketInfo[], account: Orderer, trader: string, order: OrderInput, clientId?: bigint): Instruction {
  const market = markets[order.market]!;
  const place = getPlaceOrderInstruction({
    ...keysOf(market, account, trader),
    ranks: address(market.ranks),
    order: orderArgs(order, clientId),
  });
  return withOthers(place, others(markets, account, order.market));
}

/**
 * Puts an order in the place of another; refused if that is gone. One that differs in nothing but fewer lots keeps its place
 * in the queue, for which it keeps the other's number, too.
 */
export function replaceOrder(markets: readonly MarketInfo[], account: Orderer, trader: string, old: OpenOrder, order: OrderInput): Instruction {
  const market = markets[order.market]!;
  const replace = getReplaceOrderInstruction({
    ...keysOf(market, account, trader),
    ranks: address(market.ranks),
    target: orderRef('Id', [old.id]),
    order: orderArgs(order, old.clientId),
    evenIfGone: false,
  });
  return withOthers(replace, others(markets, account, order.market));
}

/** What is to stand in a resting order's place. */
export interface Change {
  limit: bigint;
  lots: bigint;
  /** Where it stands from the mark, if it follows it. */
  peg: bigint | undefined;
  /** Whether it may take; otherwise it rests or is refused. */
  take: boolean;
}

/** The order that replaces a resting one: one that only reduces stays so. */
export function replacement(order: OpenOrder, market: MarketInfo, { limit, lots, peg, take }: Change): OrderInput {
  return {
    market: market.index,
    buys: order.buys,
    kind: take ? 'limit' : 'postOnly',
    price: limit,
    lots,
    reduceOnly: order.reduceOnly,
    expiresAt: order.expiresAt,
    ...(peg === undefined ? {} : { peg: peg - (peg % market.tick) }),
  };
}

/** Whether an order at this limit would meet the best of the other side, as far as the book is known. Where a peg will stand is not said. */
export function wouldTake({ buys }: OpenOrder, limit: bigint, peg: bigint | undefined, levels: Levels | null): boolean {
  const best = (buys ? levels?.asks : levels?.bids)?.[0]?.price;
  if (best === undefined || peg !== undefined) return false;
  return buys ? limit >= best : limit <= best;
}

/** Cancels one order. */
export function cancelOrder(markets: readonly MarketInfo[], account: Orderer, trader: string, order: OpenOrder): Instruction {
  return getCancelOrderInstruction({ ...keysOf(markets[order.market]!, account, trader), orderId: order.id });
}

/** Which of an account's orders are cancelled. */
export type Side = 'bids' | 'asks' | 'both';

const SIDES: Record<Side, number> = { bids: 0, asks: 1, both: 2 };

/** Cancels an account's orders in a market, or those of a side. */
export function cancelAll(markets: readonly MarketInfo[], account: Orderer, trader: string, market: number, side: Side = 'both'): Instruction {
  return getCancelAllInstruction({ ...keysOf(markets[market]!, account, trader), side: SIDES[side], limit: MAX_CANCELLED });
}

/** The worst price of a market order: `slippageBps` beyond the mark, inside the band, on the tick. */
export function worstPrice(market: MarketInfo, buys: boolean, slippageBps: bigint): bigint {
  const { mark, tick, bandLow, bandHigh } = market;
  if (buys) {
    const limit = mark + (mark * slippageBps) / 10_000n;
    const inside = limit < bandHigh ? limit : bandHigh;
    return inside - (inside % tick);
  }
  const limit = mark - (mark * slippageBps) / 10_000n;
  const inside = limit > bandLow ? limit : bandLow;
  return inside + ((tick - (inside % tick)) % tick);
}
