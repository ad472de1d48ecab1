// What the numbers of a forced reduction mean, in plain words.
import { percent, price, size, usd } from '../../lib/units';
import type { LineInfo, MarketInfo, WhyInfo } from '../../wasm/ballast_wasm';

/** How a number of the event is shown and explained. */
export interface Words {
  name: string;
  /** How it comes about. */
  how: string;
  show: (value: bigint) => string;
}

const STAGE_NAMES = ['healthy', 'restricted', 'partial liquidation', 'open to takeover', 'bankrupt'];

/** A score, which the program keeps in units of 2^-20. */
export function score(value: bigint): string {
  return (Number(value) / 2 ** 20).toFixed(4);
}

/** The words for a line. */
export function wordsOf(line: LineInfo, info: WhyInfo, market: MarketInfo): Words {
  const money = (value: bigint): string => usd(value, 6);
  const atPrice = (value: bigint): string => price(value, market);
  const lots = (value: bigint): string => `${size(value, market)} ${market.symbol}`;
  const plain = (value: bigint): string => value.toString();
  const long = info.position > 0n;
  switch (line.what) {
    case 'equity':
      return { name: 'Equity', how: 'Settled money, realised profit and the position’s profit at the mark: what was left if everything closed there.', show: money };
    case 'positionMaintenance':
      return { name: 'Maintenance margin of the position', how: 'The position’s value at the mark times the rate of its size, rounded up.', show: money };
    case 'maintenance':
      return { name: 'Maintenance margin of the account', how: 'The sum over all its positions. Below it, anyone may reduce the account.', show: money };
    case 'stage':
      return { name: 'Stage', how: 'Equity against maintenance margin: less than all of it, less than two thirds, less than nothing.', show: (value) => STAGE_NAMES[Number(value)] ?? plain(value) };
    case 'bankruptcyPrice':
      return { name: 'Bankruptcy price', how: 'Where closing the position would spend exactly its share of the account’s equity. No forced trade may be worse.', show: atPrice };
    case 'lots':
      return {
        name: 'Size closed',
        how:
          info.kind === 'takeover'
            ? 'At most what restores the account. Whoever takes over may take less.'
            : `The least that brings equity back to ${percent(info.targetRatioBps, 0)} of maintenance margin, at most ${percent(info.maxFractionBps, 0)} of the position at a time. Less, if the book had no more at an allowed price.`,
        show: lots,
      };
    case 'quote':
      return { name: 'Value of what was closed', how: info.kind === 'takeover' ? 'Size times price.' : 'The sum of the fills that the same transaction logged.', show: money };
    case 'worstPrice':
      return { name: 'Worst price obtained', how: `No ${long ? 'lower' : 'higher'} than the bankruptcy price is allowed.`, show: atPrice };
    case 'price':
      return info.kind === 'takeover'
        ? { name: 'Takeover price', how: `The mark less a discount that had grown for ${String(info.seconds)} s, never past the bankruptcy price of a solvent account.`, show: atPrice }
        : { name: 'Price for both sides', how: 'The bankruptcy price, moved towards the mark by what insurance paid per lot.', show: atPrice };
    case 'reward':
      return { name: info.kind === 'takeover' ? 'Discount to the taker' : 'Reward to the liquidator', how: info.kind === 'takeover' ? 'The distance from the mark times the size.' : `Its part of the fee of ${percent(info.feeBps)} on what was closed.`, show: money };
    case 'toInsurance':
      return { name: 'Fee to insurance', how: 'The rest of the fee.', show: money };
    case 'insuranceDrawn':
      return { name: 'Paid by insurance', how: 'What the account lacked, as far as the market’s budget reached, the same for each lot.', show: money };
    case 'lastScore':
      return { name: 'Score of the last that was chosen', how: 'Profit ratio times effective leverage, from the entry’s row, the distance to bankruptcy and the mark.', show: score };
    case 'outOfOrder':
      return { name: 'Taken before a higher score', how: 'How many groups of positions were reduced although another one with a higher score came after them.', show: plain };
    case 'cellLots':
      return { name: 'Size taken from positions', how: 'The rest, if any, are fractions that rounding left and that belong to nobody: they go first.', show: lots };
    default:
      return { name: line.what, how: '', show: plain };
  }
}

/** What happened, in a sentence. */
export function headline(info: WhyInfo, market: MarketInfo): string {
  const what = `a ${info.position > 0n ? 'long' : 'short'} of ${size(info.position < 0n ? -info.position : info.position, market)} ${market.symbol}`;
  const lots = `${size(info.lots, market)} ${market.symbol}`;
  switch (info.kind) {
    case 'takeover':
      return `The account held ${what} with less margin than it needs, so another account took ${lots} over.`;
    case 'deleveraging':
      return `The account held ${what} and was bankrupt, and book and insurance could not close it. So ${lots} were closed against the other side, the most leveraged profit first.`;
    default:
      return info.lots === 0n
        ? `The account held ${what} with less margin than it needs. The book had nothing at an allowed price.`
        : `The account held ${what} with less margin than it needs, so ${lots} were closed on the book.`;
  }
}
