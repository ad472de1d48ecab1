// What a trader does, as instructions of the generated client.
import { AccountRole, address, createNoopSigner, type AccountMeta, type Instruction } from '@solana/kit';

import {
  OrderKind as WireKind,
  SelfTradeMode,
  getCancelAllInstruction,
  getCancelOrderInstruction,
  getCloseMarginAccountInstruction,
  getDepositInstruction,
  getOpenMarginAccountInstruction,
  getPlaceOrderInstruction,
  getSetDelegateInstruction,
  getWithdrawInstruction,
} from '../generated';
import type { AccountInfo, ExchangeInfo, MarketInfo, OpenOrder, OrderInput } from '../wasm/ballast_wasm';
import { createTokenAccount, tokenAddress } from './tokens';

const NOBODY = address('11111111111111111111111111111111');
/** Makers that one order of the page meets at most. */
export const MAX_MAKERS = 32;

const KINDS: Record<OrderInput['kind'], WireKind> = {
  limit: WireKind.Limit,
  postOnly: WireKind.PostOnly,
  immediateOrCancel: WireKind.ImmediateOrCancel,
  fillOrKill: WireKind.FillOrKill,
};

/** The account's other markets, which an instruction has to be given. */
function others(markets: readonly MarketInfo[], account: AccountInfo, except?: number): AccountMeta[] {
  return account.positions
    .filter(({ market }) => market !== except)
    .flatMap(({ market }) => {
      const { address: key, book, ranks } = markets[market]!;
      return [key, book, ranks].map((one) => ({ address: address(one), role: AccountRole.READONLY }));
    });
}

function withOthers(instruction: Instruction, more: AccountMeta[]): Instruction {
  return { ...instruction, accounts: [...(instruction.accounts ?? []), ...more] };
}

/** Puts money from the wallet into a margin account, opening it if it does not exist. */
export async function deposit(
  exchange: ExchangeInfo,
  owner: string,
  margin: string,
  number: number,
  exists: boolean,
  amount: bigint,
): Promise<Instruction[]> {
  const signer = createNoopSigner(address(owner));
  const open = getOpenMarginAccountInstruction({
    payer: signer,
    owner: signer,
    exchange: address(exchange.address),
    margin: address(margin),
    number,
  });
  const put = getDepositInstruction({
    depositor: signer,
    exchange: address(exchange.address),
    margin: address(margin),
    source: await tokenAddress(owner, exchange.quoteMint),
    vault: address(exchange.vault),
    amount,
  });
  return exists ? [put] : [open, put];
}

/** Takes settled money out into the wallet. */
export async function withdraw(
  exchange: ExchangeInfo,
  markets: readonly MarketInfo[],
  account: AccountInfo,
  amount: bigint,
): Promise<Instruction[]> {
  const take = getWithdrawInstruction({
    owner: createNoopSigner(address(account.owner)),
    exchange: address(exchange.address),
    margin: address(account.address),
    vault: address(exchange.vault),
    target: await tokenAddress(account.owner, exchange.quoteMint),
    amount,
  });
  return [await createTokenAccount(account.owner, exchange.quoteMint), withOthers(take, others(markets, account))];
}

/** Places an order. `trader` is the owner or the delegate. */
export function placeOrder(
  markets: readonly MarketInfo[],
  account: AccountInfo,
  trader: string,
  order: OrderInput,
): Instruction {
  const market = markets[order.market]!;
  const place = getPlaceOrderInstruction({
    trader: createNoopSigner(address(trader)),
    margin: address(account.address),
    market: address(market.address),
    book: address(market.book),
    ranks: address(market.ranks),
    order: {
      buys: order.buys,
      kind: KINDS[order.kind],
      price: order.price,
      lots: order.lots,
      reduceOnly: order.reduceOnly,
      clientId: BigInt(Date.now()),
      expiresAt: 0n,
      selfTrade: SelfTradeMode.CancelResting,
      maxMakers: order.maxMakers,
      peg: null,
    },
  });
  return withOthers(place, others(markets, account, order.market));
}

/** Cancels one order. */
export function cancelOrder(
  markets: readonly MarketInfo[],
  account: AccountInfo,
  trader: string,
  order: OpenOrder,
): Instruction {
  const market = markets[order.market]!;
  return getCancelOrderInstruction({
    trader: createNoopSigner(address(trader)),
    margin: address(account.address),
    market: address(market.address),
    book: address(market.book),
    orderId: order.id,
  });
}

/** Cancels all orders of an account in a market. */
export function cancelAll(
  markets: readonly MarketInfo[],
  account: AccountInfo,
  trader: string,
  market: number,
): Instruction {
  const info = markets[market]!;
  return getCancelAllInstruction({
    trader: createNoopSigner(address(trader)),
    margin: address(account.address),
    market: address(info.address),
    book: address(info.book),
    side: 2,
    limit: 64,
  });
}

/** Names who may trade for the account but not withdraw; `null` for nobody. */
export function setDelegate(account: AccountInfo, delegate: string | null): Instruction {
  return getSetDelegateInstruction({
    owner: createNoopSigner(address(account.owner)),
    margin: address(account.address),
    delegate: delegate === null ? NOBODY : address(delegate),
  });
}

/** Closes an empty account; its rent goes back to the owner. */
export function closeAccount(account: AccountInfo): Instruction {
  return getCloseMarginAccountInstruction({
    owner: createNoopSigner(address(account.owner)),
    margin: address(account.address),
    receiver: address(account.owner),
  });
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
