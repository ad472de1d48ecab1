// The page computes what the program does, to the atom: on a small exchange's accounts as bytes, against what the Rust client
// says of them and what the compiled program itself did with orders. `cargo test -p ballast-tests --test exchange -- page`
// writes the fixture, from the present program.
import './wasm';

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';

import { Desk, accountKind, programError, type AccountInfo, type PositionInfo, type Standing } from '../src/wasm/ballast_wasm';

interface PositionText {
  market: number;
  lots: string;
  basis: string;
  unsettled: string;
  funding: string;
  bids: string;
  asks: string;
  liquidationPrice: string | null;
  bankruptcyPrice: string | null;
  rank: { lights: number; score: string; lotsAhead: string; total: string } | null;
}

interface AccountText {
  address: string;
  settled: string;
  equity: string;
  initialEquity: string;
  initial: string;
  maintenance: string;
  stage: string;
  positions: PositionText[];
}

interface Fixture {
  exchange: string;
  now: number;
  raw: { address: string; data: string }[];
  accounts: AccountText[];
  orders: {
    address: string;
    market: number;
    buys: boolean;
    price: string;
    lots: string;
    after: AccountText | null;
    refused: string | null;
  }[];
}

const file = join(import.meta.dirname, '../../target/app/fixture.json');

function bytes(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

/** Every account in the order in which a page would get them: exchange, markets, then the rest. */
function open(fixture: Fixture): Desk {
  const exchange = fixture.raw.find(({ address }) => address === fixture.exchange)!;
  const desk = new Desk(fixture.exchange, bytes(exchange.data));
  desk.setTime(BigInt(fixture.now));
  for (const round of [0, 1]) {
    for (const { address, data } of fixture.raw) {
      const what = desk.put(address, bytes(data));
      expect(round === 0 || what !== 'none' || accountKind(bytes(data)) === 'Trader', `${address} is known`).toBe(true);
    }
  }
  return desk;
}

function textOf(position: PositionInfo): PositionText {
  const { market, lots, basis, unsettled, funding, bids, asks, liquidationPrice, bankruptcyPrice, rank } = position;
  return {
    market,
    lots: String(lots),
    basis: String(basis),
    unsettled: String(unsettled),
    funding: String(funding),
    bids: String(bids),
    asks: String(asks),
    liquidationPrice: liquidationPrice === undefined ? null : String(liquidationPrice),
    bankruptcyPrice: bankruptcyPrice === undefined ? null : String(bankruptcyPrice),
    rank: rank
      ? { lights: rank.lights, score: String(rank.score), lotsAhead: String(rank.lotsAhead), total: String(rank.total) }
      : null,
  };
}

function accountText(info: AccountInfo): AccountText {
  const { address, settled, equity, initialEquity, initial, maintenance, stage, positions } = info;
  return {
    address,
    settled: String(settled),
    equity: String(equity),
    initialEquity: String(initialEquity),
    initial: String(initial),
    maintenance: String(maintenance),
    stage,
    positions: positions.map(textOf),
  };
}

describe.runIf(existsSync(file) || process.env.CI)('the page and the program', () => {
  let fixture: Fixture;
  let desk: Desk;
  beforeAll(() => {
    fixture = JSON.parse(readFileSync(file, 'utf8')) as Fixture;
    desk = open(fixture);
  });

  it('sees every account as the Rust client does', () => {
    expect(fixture.accounts.length).toBeGreaterThan(10);
    for (const expected of fixture.accounts) expect(accountText(desk.account(expected.address))).toEqual(expected);
  });

  it('previews every order as the program carries it out', () => {
    let compared = 0;
    for (const { address, market, buys, price, lots, after } of fixture.orders) {
      if (!after) continue;
      const order = {
        market,
        buys,
        kind: 'immediateOrCancel' as const,
        price: BigInt(price),
        lots: BigInt(lots),
        reduceOnly: false,
        maxMakers: 64,
      };
      const preview = desk.preview(address, order);
      expect(preview.refusal).toBeUndefined();
      const standing: Standing = preview.after;
      const held = after.positions.find((position) => position.market === market);
      const shown = [standing.equity, standing.initialEquity, standing.initial, standing.maintenance, standing.lots, standing.basis];
      const real = [after.equity, after.initialEquity, after.initial, after.maintenance, held?.lots ?? '0', held?.basis ?? '0'];
      expect(shown.map(String)).toEqual(real);
      expect(standing.liquidationPrice ?? null).toEqual(held?.liquidationPrice ? BigInt(held.liquidationPrice) : null);
      expect(standing.stage).toBe(after.stage);
      compared++;
    }
    expect(compared).toBeGreaterThan(20);
  });

  it('foresees every refusal for want of margin', () => {
    const refused = fixture.orders.filter((order) => order.refused === 'InsufficientMargin');
    expect(refused.length).toBeGreaterThan(5);
    for (const { address, market, buys, price, lots } of refused) {
      const order = { market, buys, kind: 'immediateOrCancel' as const, price: BigInt(price), lots: BigInt(lots), reduceOnly: false, maxMakers: 64 };
      expect(desk.preview(address, order).refusal?.name).toBe('InsufficientMargin');
    }
  });

  it('finds the largest order that the account can carry and the book has: one lot more is refused, or not filled', () => {
    const markets = desk.markets();
    let probed = 0;
    for (const { address, stage } of fixture.accounts) {
      if (stage !== 'healthy') continue;
      const { index, bandHigh, tick } = markets[0]!;
      const order = { market: index, buys: true, kind: 'immediateOrCancel' as const, price: bandHigh - (bandHigh % tick), lots: 1n, reduceOnly: false, maxMakers: 64 };
      const most = desk.maxLots(address, order);
      if (most === 0n) continue;
      expect(desk.preview(address, { ...order, lots: most })).toMatchObject({ refusal: undefined, filled: most });
      const { refusal, filled } = desk.preview(address, { ...order, lots: most + 1n });
      expect(refusal !== undefined || filled === most).toBe(true);
      probed++;
    }
    expect(probed).toBeGreaterThan(0);
  });

  it('tells an order that met its number of makers from a book that has no more', () => {
    const { index, bandHigh, tick } = desk.markets()[0]!;
    const { address } = fixture.accounts.find(({ stage }) => stage === 'healthy')!;
    const order = { market: index, buys: true, kind: 'immediateOrCancel' as const, price: bandHigh - (bandHigh % tick), lots: 100_000_000n, reduceOnly: false };
    expect(desk.preview(address, { ...order, maxMakers: 1 })).toMatchObject({ makers: 1, lacks: 'makers' });
    expect(desk.preview(address, order)).toMatchObject({ lacks: 'orders' });
    expect(desk.preview(address, { ...order, lots: 1n }).lacks).toBeUndefined();
  });

  it('orders the ranking index by score, and counts all of the side', () => {
    for (const { index } of desk.markets()) {
      for (const longs of [true, false]) {
        const { cells, total, inProfit, dust } = desk.index(index, longs);
        const ranked = cells.filter(({ score }) => score > 0n);
        ranked.reduce((before, cell) => {
          expect(cell.score <= before.score).toBe(true);
          return cell;
        }, ranked[0] ?? cells[0]!);
        expect(cells.reduce((sum, { lots }) => sum + lots, dust)).toBe(total);
        expect(ranked.reduce((sum, { lots }) => sum + lots, 0n)).toBe(inProfit);
      }
    }
  });

  it('knows the program’s errors by number', () => {
    expect(programError(6023)).toMatchObject({ code: 6023, name: 'InsufficientMargin' });
    expect(programError(1)).toBeUndefined();
  });
});
