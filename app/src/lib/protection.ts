// Take-profits, stops and ladders: what somebody typed as what the program takes, and the instructions for it.
// docs/protection.md has their exact meaning.
import { address, createNoopSigner, type Instruction } from '@solana/kit';

import {
  TriggerKind,
  getCancelAllTriggersInstruction,
  getCancelTriggerInstruction,
  getEditTriggerInstruction,
  getPlaceTriggersInstruction,
  orderRef,
  getSetLadderInstruction,
  triggerExecution,
  type TriggerArgsArgs,
  type TriggerTermsArgs,
} from '../generated';
import type { AccountInfo, MarketInfo, TriggerInfo } from '../wasm/ballast_wasm';
import type { Orderer } from './orders';

/** A trigger to place, or the new terms of one. */
export interface TriggerInput {
  /** Whether its order buys, which reduces a short. */
  buys: boolean;
  /** A stop-loss; otherwise a take-profit. */
  stop: boolean;
  /** Where it fires, in atoms per lot; 0 if it trails. */
  price: bigint;
  /** Lots at most; `null` for the whole position. */
  lots: bigint | null;
  /** The price of a limit order; `null` for a market order. */
  limit: bigint | null;
  /** How far beyond the mark a market order trades. */
  slippageBps: number;
  /** How far it stays behind the best mark; 0 if it does not trail. */
  trailPpm: number;
  /** The first second at which it no longer fires; 0 for never. */
  expiresAt: bigint;
}

/** Beyond the mark at the time of execution, unless somebody says otherwise: a stop should get out. */
export const TRIGGER_SLIPPAGE_BPS = 100;
/** Bounds of the program (crates/book: trigger.rs, crates/risk: ladder.rs). */
export const TRAIL_PPM = { least: 100n, most: 500_000n };
export const LADDER = { rungs: 4, ratio: [10_500n, 50_000n], part: [100n, 10_000n], slippage: [10n, 1_000n] } as const;

function termsOf(input: TriggerInput): TriggerTermsArgs {
  const { price, lots, limit, slippageBps, trailPpm, expiresAt } = input;
  return {
    price: trailPpm > 0 ? 0n : price,
    lots: lots ?? 0n,
    execution: limit === null ? triggerExecution('Market', { slippageBps }) : triggerExecution('Limit', { price: limit }),
    trailPpm,
    expiresAt,
  };
}

function argsOf(input: TriggerInput): TriggerArgsArgs {
  return {
    buys: input.buys,
    kind: input.stop ? TriggerKind.StopLoss : TriggerKind.TakeProfit,
    terms: termsOf(input),
    clientId: BigInt(Date.now()),
  };
}

/** The terms of a trigger that is there, to be changed. */
export function inputOf(trigger: TriggerInfo): TriggerInput {
  const { buys, stop, price, lots, limit, slippageBps, trailPpm, expiresAt } = trigger;
  return {
    buys,
    stop,
    price: trailPpm === undefined ? price : 0n,
    lots: lots ?? null,
    limit: limit ?? null,
    slippageBps: slippageBps ?? TRIGGER_SLIPPAGE_BPS,
    trailPpm: trailPpm ?? 0,
    expiresAt,
  };
}

function keysOf(market: MarketInfo, account: Orderer, trader: string) {
  return {
    trader: createNoopSigner(address(trader)),
    margin: address(account.address),
    market: address(market.address),
    book: address(market.book),
  };
}

/** The order that opens what a bracket protects, by its client id, and the lots of its side that were held before. */
export interface BracketEntry {
  clientId: bigint;
  held: bigint;
}

/**
 * Places a trigger, or two of which one cancels the other. With an entry order they are of what that opens, and wait for it as long as it
 * rests.
 */
export function placeTriggers(
  market: MarketInfo,
  account: Orderer,
  trader: string,
  first: TriggerInput,
  second: TriggerInput | null = null,
  entry: BracketEntry | null = null,
): Instruction {
  return getPlaceTriggersInstruction({
    ...keysOf(market, account, trader),
    first: argsOf(first),
    second: second && argsOf(second),
    entry: entry && { order: orderRef('Client', [entry.clientId]), held: entry.held },
  });
}

/** Gives a trigger new terms; its side, kind and pair stay. */
export function editTrigger(market: MarketInfo, account: Orderer, trader: string, id: bigint, input: TriggerInput): Instruction {
  return getEditTriggerInstruction({ ...keysOf(market, account, trader), trigger: id, terms: termsOf(input) });
}

/** Cancels a trigger; the other of its pair stays. */
export function cancelTrigger(market: MarketInfo, account: Orderer, trader: string, id: bigint): Instruction {
  return getCancelTriggerInstruction({ ...keysOf(market, account, trader), trigger: id });
}

/** Cancels all triggers of an account in a market. */
export function cancelAllTriggers(market: MarketInfo, account: Orderer, trader: string): Instruction {
  return getCancelAllTriggersInstruction(keysOf(market, account, trader));
}

/** A rule of a ladder: at this margin ratio reduce by this part. */
export interface RungInput {
  ratioBps: number;
  reduceBps: number;
}

/** Sets an account's ladder; without rungs it has none. By the owner only. */
export function setLadder(account: AccountInfo, rungs: readonly RungInput[], slippageBps: number): Instruction {
  return getSetLadderInstruction({
    owner: createNoopSigner(address(account.owner)),
    margin: address(account.address),
    rungs: [...rungs],
    slippageBps: rungs.length === 0 ? 0 : slippageBps,
  });
}

/** Why a trigger at a price makes no sense for a position, or a position to be; `null` if it does. `at` is the mark, or the entry's price. */
export function triggerProblem({ buys, stop, price }: Pick<TriggerInput, 'buys' | 'stop' | 'price'>, at: bigint): string | null {
  if (price === 0n) return 'Enter a price.';
  // A sell protects a long: its take-profit is above, its stop below.
  const above = buys === stop;
  if (above ? price > at : price < at) return null;
  return `${stop ? 'A stop' : 'A take-profit'} of a ${buys ? 'short' : 'long'} has to be ${above ? 'above' : 'below'} the price now.`;
}
