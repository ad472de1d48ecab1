// Forced reductions and shocks: the page computes what Rust does, on what the compiled program logged and left behind.
// `cargo test --workspace --test exchange -- page why` writes the fixtures.
import './wasm';

import { getBase58Decoder, getBase58Encoder } from '@solana/kit';
import { render, screen } from '@testing-library/react';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';

import { Ranking } from '../src/components/why/Ranking';
import { Overall } from '../src/components/why/Verdict';
import { headline, wordsOf } from '../src/components/why/words';
import { hrefOf, parseRoute, whyHref } from '../src/hooks/route';
import { eventOf } from '../src/lib/indexer';
import { Desk, accountKind, worthFetching, type WhyInfo } from '../src/wasm/ballast_wasm';

interface Raw {
  address: string;
  data: string;
}

interface Compiled {
  programIdIndex: number;
  accounts: number[];
  data: string;
  stackHeight: number;
}

/** As a node gives it. */
interface Transaction {
  transaction: { message: { accountKeys: string[]; instructions: Compiled[] } };
  meta: { err: null; innerInstructions: { index: number; instructions: Compiled[] }[] };
}

interface Case {
  exchange: string;
  raw: Raw[];
  transaction: Transaction;
  /** The number of the forced reduction among the events. */
  index: number;
  /** What a deleveraging's event begins with, in hexadecimal. */
  discriminator: string;
  lines: { logged: string; computed: string | null; verdict: string }[];
}

interface Fixture {
  exchange: string;
  now: number;
  raw: Raw[];
  shocks: {
    ppm: string;
    vault: string;
    rounds: number;
    fallen: string[];
    markets: { shocked: string; end: string; bookQuote: string; takeoverQuote: string; badDebt: string; insured: string; forgone: string }[];
  }[];
}

function read<T>(name: string): T {
  return JSON.parse(readFileSync(join(import.meta.dirname, '../../target/app', name), 'utf8')) as T;
}

function bytes(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

/** A copy of a transaction, and the program's record in it as bytes that `write` puts back. */
function withRecord(original: Transaction) {
  const transaction = structuredClone(original);
  const called = transaction.meta.innerInstructions.flatMap(({ instructions }) => instructions);
  const records = called.map((instruction) => ({ instruction, data: Buffer.from(getBase58Encoder().encode(instruction.data)) }));
  const found = records.find(({ data }) => data.subarray(0, 8).toString() === 'ballast1')!;
  const write = () => (found.instruction.data = getBase58Decoder().decode(found.data));
  return { transaction, record: { ...found, write } };
}

function open({ exchange, raw }: { exchange: string; raw: Raw[] }): Desk {
  const desk = new Desk(exchange, bytes(raw.find(({ address }) => address === exchange)!.data));
  const order = ['Market', 'Book', 'Ranks', 'MarginAccount'];
  for (const kind of order) {
    for (const { address, data } of raw) if (accountKind(bytes(data)) === kind) desk.put(address, bytes(data));
  }
  return desk;
}

// Where the exchange's tests have not been run there is nothing to compare with; CI always has it.
const present = process.env.CI !== undefined || ['why.json', 'fixture.json', 'receipts.json'].every((name) => existsSync(join(import.meta.dirname, '../../target/app', name)));
const cases = present ? read<Case[]>('why.json') : [];
const explained = cases.map((one): { desk: Desk; info: WhyInfo; one: Case } => {
  const desk = open(one);
  return { desk, info: desk.why(one.transaction, one.index, true), one };
});

describe.skipIf(!present)('why somebody was reduced', () => {
  it('is computed as in Rust, to the atom', () => {
    expect(explained.map(({ info }) => info.kind)).toEqual(['liquidation', 'deleveraging']);
    for (const { info, one } of explained) {
      const lines = info.lines.map(({ logged, computed, verdict }) => ({
        logged: logged.toString(),
        computed: computed?.toString() ?? null,
        verdict: verdict[0]!.toUpperCase() + verdict.slice(1),
      }));
      expect(lines).toEqual(one.lines);
      expect(info.lines.length).toBeGreaterThan(7);
    }
  });

  it('is found in the transaction, with the number of the event', () => {
    for (const { desk, info, one } of explained) {
      const [found] = desk.forcedIn(one.transaction);
      expect(found).toMatchObject({ index: one.index, kind: info.kind, account: info.account, lots: info.lots, long: true });
    }
  });

  it('is refused for an event that is something else', () => {
    const { desk, one } = explained[0]!;
    expect(() => desk.why(one.transaction, 0, true)).toThrow();
    expect(() => desk.why(one.transaction, 999, true)).toThrow();
  });

  it('is told with words for every number', () => {
    for (const { desk, info } of explained) {
      const market = desk.markets()[info.market]!;
      for (const line of info.lines) {
        const { name, how, show } = wordsOf(line, info, market);
        expect(name).not.toBe(line.what);
        expect(how).not.toBe('');
        expect(show(line.logged)).not.toBe('');
      }
      expect(headline(info, market)).toContain('long');
    }
  });

  it('says that all agree, and how many differ when one does', () => {
    const { lines } = explained[0]!.info;
    const { rerender } = render(<Overall lines={lines} />);
    expect(screen.getByRole('status')).toHaveTextContent(`All ${lines.length} numbers agree`);
    const tampered = lines.map((line, at) => (at === 3 ? { ...line, verdict: 'differs' } : line));
    rerender(<Overall lines={tampered} />);
    expect(screen.getByRole('status')).toHaveTextContent(`1 of ${lines.length} numbers differ`);
  });

  it('finds a number that somebody changed', () => {
    const { desk, one } = explained[1]!;
    const { transaction, record } = withRecord(one.transaction);
    // The first event of the name: behind its discriminator, market, account, side and lots stands the price.
    const event = record.data.indexOf(Buffer.from(one.discriminator, 'hex'));
    const at = event + 8 + 2 + 32 + 1 + 8;
    record.data.writeBigUInt64LE(record.data.readBigUInt64LE(at) + 1n, at);
    record.write();
    const changed = desk.why(transaction, one.index, true);
    expect(changed.ranking!.price).toBe(explained[1]!.info.ranking!.price + 1n);
    expect(changed.lines.find(({ what }) => what === 'price')).toMatchObject({ verdict: 'differs' });
  });

  it('is not believed of a transaction that only names this exchange’s market', () => {
    const { desk, one } = explained[1]!;
    // As if the same had happened on another exchange of the program, with ours among the accounts that it was shown.
    const forged = structuredClone(one.transaction);
    const { accountKeys, instructions } = forged.transaction.message;
    const market = desk.markets()[0]!.address;
    const own = accountKeys.indexOf(market);
    accountKeys[own] = one.exchange;
    accountKeys.push(market);
    for (const { accounts } of instructions) accounts.push(accountKeys.length - 1);
    expect(desk.forcedIn(forged)).toEqual([]);
    expect(() => desk.why(forged, one.index, true)).toThrow(/no such forced reduction of this exchange/);
  });

  it('is not believed of a record that the program did not make itself', () => {
    const { desk, one } = explained[1]!;
    const { transaction, record } = withRecord(one.transaction);
    // Anybody can send the bytes: as an instruction of the transaction, or out of another program.
    record.instruction.stackHeight = 3;
    expect(desk.forcedIn(transaction)).toEqual([]);
    const top = structuredClone(one.transaction);
    top.transaction.message.instructions.push(...top.meta.innerInstructions.flatMap(({ instructions }) => instructions));
    top.meta.innerInstructions = [];
    expect(desk.forcedIn(top)).toEqual([]);
  });

  it('says that a node that keeps no inner instructions is of no use', () => {
    const { desk, one } = explained[0]!;
    const lacking = { ...one.transaction, meta: { err: null, innerInstructions: null } };
    expect(() => desk.why(lacking, one.index, true)).toThrow(/inner instructions/);
  });
});

describe.skipIf(!present)('the other side of a deleveraging', () => {
  it('is listed in its order, with its parts and the price that it paid', () => {
    const { desk, info } = explained[1]!;
    const market = desk.markets()[info.market]!;
    const ranking = info.ranking!;
    render(<Ranking ranking={ranking} market={market} account={null} />);
    expect(screen.getAllByRole('row')).toHaveLength(ranking.cells.length + 1);
    expect(screen.getByText('75.00 %')).toBeInTheDocument();
    expect(ranking.haircut).toBe(ranking.price - ranking.mark);
    const scores = ranking.cells.map(({ score }) => score!);
    expect([...scores].sort((a, b) => Number(b - a))).toEqual(scores);
  });
});

describe.skipIf(!present)('what was taken of those on the other side', () => {
  interface Booked {
    account: string;
    lots: string;
    cash: string;
    logs: string[];
    transaction: Transaction;
  }

  it('waits in their positions, and is in the transactions that book it, to the lot and the atom', () => {
    const receipts = read<{ exchange: string; raw: Raw[]; booked: Booked[] }>('receipts.json');
    const desk = open(receipts);
    expect(receipts.booked.length).toBeGreaterThan(2);
    let whole = 0;
    for (const { account, lots, cash, transaction } of receipts.booked) {
      // What was taken of a short was bought.
      const taken = { lots: BigInt(lots), cash: BigInt(cash), long: false, market: 0, account };
      expect(desk.receiptsIn(transaction)).toMatchObject([taken]);
      const [position] = desk.account(account).positions;
      expect(position).toMatchObject({ deleveraged: taken.lots, deleveragedCash: taken.cash });
      if (position!.lots === 0n) whole++;
    }
    expect(whole).toBeGreaterThan(0);
    expect(desk.receiptsIn(cases[0]!.transaction)).toEqual([]);
  });

  it('is worth fetching where it is of an account that is shown', () => {
    const [{ account, logs }] = read<{ booked: [Booked] }>('receipts.json').booked;
    expect([worthFetching(logs, true, [account]), worthFetching(logs, true, []), worthFetching(logs, true, ['Somebody'])]).toEqual([true, false, false]);
  });
});

describe.skipIf(!present)('a shock', () => {
  let fixture: Fixture;
  let desk: Desk;
  beforeAll(() => {
    fixture = read<Fixture>('fixture.json');
    desk = open(fixture);
    desk.setTime(BigInt(fixture.now));
  });

  it('does in the page what it does in Rust', () => {
    let fallen = 0;
    for (const expected of fixture.shocks) {
      const moves = desk.markets().map(({ index }) => ({ market: index, ppm: BigInt(expected.ppm) }));
      const outcome = desk.shock({ moves, vault: BigInt(expected.vault) });
      expect(outcome.rounds).toHaveLength(expected.rounds);
      expect(outcome.accounts.map(({ account }) => account)).toEqual(expected.fallen);
      const markets = outcome.markets.map(({ shocked, end, bookQuote, takeoverQuote, badDebt, insured, forgone }) => {
        const numbers = { shocked, end, bookQuote, takeoverQuote, badDebt, insured, forgone };
        return Object.fromEntries(Object.entries(numbers).map(([name, value]) => [name, value.toString()]));
      });
      expect(markets).toEqual(expected.markets);
      fallen += expected.fallen.length;
    }
    expect(fallen).toBeGreaterThan(0);
  });

  it('is nearer than the liquidation prices say to nobody', () => {
    for (const { index, mark } of desk.markets()) {
      const [first] = desk.distances(index);
      expect(first!.stage).toBe('partial');
      const buckets = desk.liquidations(index, 10_000, 60);
      expect(buckets).toHaveLength(60);
      // Who is liquidated within the nearest fall stands in a range below the mark.
      if (first!.fall === undefined || first!.fall === 0n || first!.fall < -290_000n) continue;
      const price = (mark * (1_000_000n + first!.fall)) / 1_000_000n;
      const near = buckets.filter(({ low, longs }) => low >= price - mark / 100n && low < mark && longs > 0n);
      expect(near.length).toBeGreaterThan(0);
    }
  });
});

describe('the addresses of pages', () => {
  it('name an event of a transaction, and come back', () => {
    expect(parseRoute(whyHref('5abc', 12))).toEqual({ page: 'why', market: '', signature: '5abc', event: 12 });
    expect(parseRoute('#/why')).toEqual({ page: 'why', market: '' });
    expect(parseRoute('#/why/371024511-3-2')).toEqual({ page: 'why', market: '', signature: '371024511-3-2' });
    expect(parseRoute(hrefOf({ page: 'insurance', market: '' }))).toEqual({ page: 'insurance', market: '' });
    expect(parseRoute('#/nonsense')).toEqual({ page: 'trade', market: '' });
  });

  it('know which part of an indexer’s id is the event', () => {
    expect(eventOf('371024511-3-2')).toBe(2);
    expect(eventOf('371024511-3-17-1')).toBe(17);
  });
});
