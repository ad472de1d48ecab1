// What went wrong, in words that say what to do about it.
import { programError } from '../wasm/ballast_wasm';
import { message } from './chain';
import { TOKEN_PROGRAM } from './tokens';

/** Something that the person at the page should read. */
export class Trouble extends Error {
  constructor(
    /** What went wrong, in a few words. */
    readonly title: string,
    /** What it means and what can be done. */
    readonly detail: string,
    /** The program's error, if it was one. */
    readonly code = 0,
  ) {
    super(`${title}: ${detail}`);
    this.name = 'Trouble';
  }
}

/** What to do about errors of the program that a trader can meet, beside what the program says. */
const ADVICE: Record<string, string> = {
  InsufficientMargin: 'Use a smaller size, deposit more, or cancel resting orders, which reserve margin.',
  InsufficientSettled: 'Profit becomes money as losers are settled; until then it counts as equity but cannot leave.',
  WouldMatch: 'Move the price away from the other side, or use a limit order.',
  OutsideBand: 'Orders match only within the band around the mark; choose a price inside it.',
  OracleStale: 'Wait for the next price. Reducing stays possible longer than opening.',
  OracleWide: 'The price is uncertain just now. Wait until its sources agree again.',
  OracleDeviates: 'The price moved far in a short time. Opening resumes when its average has followed.',
  NotFilled: 'The book does not hold the whole size at that price. Use a smaller size or a worse price.',
  NotReducing: 'Switch “reduce only” off, or choose the other side.',
  MarketState: 'The market takes no orders that open positions just now.',
  Paused: 'The exchange has paused this. Positions and money stay where they are.',
  AccountBankrupt: 'Insurance or deleveraging resolves it first; that takes some seconds.',
  TooSmall: 'The market has a smallest order.',
  TooLarge: 'The market limits positions and the number of orders.',
  BookFull: 'Try again with a better price, or later.',
  NoFreeSlot: 'Use another of your accounts.',
  OrderNotFound: 'It was filled or cancelled meanwhile.',
  NotEmpty: 'Close positions, cancel orders and withdraw first.',
};

/** Errors of the token program by number: title and detail. */
const TOKEN_ERRORS: Record<number, [string, string]> = {
  1: ['Not enough tokens', 'The wallet does not hold that much.'],
  4: ['Not your tokens', 'The token account has another owner.'],
  17: ['Frozen', 'Whoever issues the token has frozen this token account.'],
};

/** The line of a program that failed. No program survives the failure of one that it called: the first line is the innermost's. */
const FAILED = /^Program ([1-9A-HJ-NP-Za-km-z]{32,44}) failed: /;

/** From a transaction's error, as the network reports it, and its logs. */
export function troubleOf(error: unknown, logs: readonly string[], program: string): Trouble {
  const instruction = (error as { InstructionError?: [number, unknown] } | null)?.InstructionError;
  const code = (instruction?.[1] as { Custom?: number } | undefined)?.Custom;
  const failing = logs.find((line) => FAILED.test(line));
  const culprit = failing === undefined ? program : FAILED.exec(failing)?.[1];
  if (code !== undefined) {
    const known = culprit === program ? programError(code) : undefined;
    if (known) return ofProgram(known);
    const token = culprit === TOKEN_PROGRAM ? TOKEN_ERRORS[code] : undefined;
    if (token) return new Trouble(token[0], token[1], code);
    return new Trouble('Refused', failing ?? `A program refused with number ${code}.`, code);
  }
  const text = typeof error === 'string' ? error : JSON.stringify(error);
  if (text.includes('AccountNotFound') || text.includes('InsufficientFunds')) {
    return new Trouble('Not enough SOL', 'The wallet has no SOL for fees and rent.');
  }
  if (text.includes('BlockhashNotFound')) return new Trouble('Too late', 'The transaction expired. Try again.');
  return new Trouble('Refused', failing ?? text);
}

/** A refusal that the program's own functions gave in the page. */
export function ofProgram({ code, name, message: text }: { code: number; name: string; message: string }): Trouble {
  const advice = ADVICE[name];
  return new Trouble(text, advice ?? '', code);
}

/** Anything that was thrown, as something to read. */
export function trouble(error: unknown): Trouble {
  if (error instanceof Trouble) return error;
  if (error instanceof Error && error.name === 'Unreachable') {
    return new Trouble('No connection', `${error.message}.`);
  }
  const text = message(error);
  if (/reject|denied|declin|cancel|refus/i.test(text)) return new Trouble('Not signed', 'The wallet did not sign.');
  return new Trouble('It did not work', text);
}
