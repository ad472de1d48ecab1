import './wasm';

import { render, screen } from '@testing-library/react';
import { createElement } from 'react';
import { describe, expect, it } from 'vitest';

import { rungsOf } from '../src/components/LadderDialog';
import { EMPTY, bracketOf, isolatedMargin, isolatedMost, orderOf, stopOf, takes, type Measure, type TicketForm } from '../src/components/ticket/form';
import { Dropped } from '../src/components/ticket/PreviewTable';
import { Terms, lifeFor } from '../src/components/ticket/Terms';
import { emptyForm, formOf, triggerOf } from '../src/components/triggerForm';
import { SelfTradeMode } from '../src/generated';
import { orderArgs, worstPrice } from '../src/lib/orders';
import { maxMakers, type AccountInfo, type MarketInfo, type OrderInput, type Preview, type TriggerInfo } from '../src/wasm/ballast_wasm';

const market = {
  index: 0,
  symbol: 'BTC',
  lotExponent: 5,
  tick: 10n,
  minLots: 10n,
  mark: 1_214_000n,
  bandLow: 1_153_300n,
  bandHigh: 1_274_700n,
} as MarketInfo;

const measure: Measure = { market, most: 0n, equity: 0n, now: 1_000 };
const form: TicketForm = { ...EMPTY, amount: '12140' };
const limit: TicketForm = { ...form, kind: 'limit', limit: '121000' };

describe('the ticket', () => {
  it('turns dollars into lots at the mark, and slippage into a worst price on the tick', () => {
    expect(orderOf(form, measure)).toMatchObject({ lots: 10_000n, price: 1_220_070n, kind: 'immediateOrCancel' });
    expect(orderOf({ ...form, buys: false }, measure)).toMatchObject({ price: 1_207_930n });
  });

  it('takes dollars at the limit of a limit order', () => {
    expect(orderOf({ ...limit, limit: '60700' }, measure)).toMatchObject({ lots: 20_000n, price: 607_000n, kind: 'limit' });
  });

  it('takes a part of the most that is possible, or a multiple of equity', () => {
    expect(orderOf({ ...form, unit: 'percent', amount: '25' }, { ...measure, most: 4_000n })).toMatchObject({ lots: 1_000n });
    expect(orderOf({ ...form, unit: 'percent', amount: '101' }, measure)).toBe('At most 100 per cent.');
    expect(orderOf({ ...form, unit: 'leverage', amount: '2.5' }, { ...measure, equity: 1_214_000_000n })).toMatchObject({ lots: 2_500n });
  });

  it('rests only where nothing says otherwise', () => {
    expect(orderOf({ ...limit, post: 'reject' }, measure)).toMatchObject({ kind: 'postOnly' });
    expect(orderOf({ ...limit, post: 'slide' }, measure)).toMatchObject({ kind: 'postOnlySlide' });
    expect(orderOf({ ...limit, life: 'ioc' }, measure)).toMatchObject({ kind: 'immediateOrCancel' });
    expect(orderOf({ ...limit, life: 'fok', post: 'slide' }, measure)).toMatchObject({ kind: 'fillOrKill' });
    expect(orderOf({ ...form, life: 'fok' }, measure)).toMatchObject({ kind: 'fillOrKill' });
    expect(orderOf({ ...form, reduceOnly: true }, measure)).toMatchObject({ kind: 'immediateOrCancel', reduceOnly: true });
  });

  it('says of an order that only reduces what it is sent as', () => {
    const reduces: TicketForm = { ...limit, reduceOnly: true };
    for (const life of ['gtc', 'gtt', 'ioc', 'fok'] as const) {
      const { unmount } = render(createElement(Terms, { form: { ...reduces, life }, market, set: () => undefined }));
      expect(screen.getByLabelText<HTMLSelectElement>('Time in force').value).toBe(life);
      unmount();
    }
    const sent = (life: TicketForm['life'], post: TicketForm['post'] = 'take') => orderOf({ ...reduces, life, post }, measure);
    expect([sent('gtc'), sent('gtt'), sent('ioc'), sent('fok'), sent('gtc', 'reject')]).toMatchObject([
      { kind: 'limit', reduceOnly: true, expiresAt: 0n },
      { kind: 'limit', reduceOnly: true, expiresAt: 4_600n },
      { kind: 'immediateOrCancel', reduceOnly: true },
      { kind: 'fillOrKill', reduceOnly: true },
      { kind: 'postOnly', reduceOnly: true },
    ]);
  });

  it('keeps the life that was chosen, whatever kinds are tried meanwhile', () => {
    // What a market order lives for was never chosen, and is not what a limit order then lives for.
    expect([lifeFor(form), lifeFor(limit), orderOf(limit, measure)]).toMatchObject(['ioc', 'gtc', { kind: 'limit' }]);
    const timed: TicketForm = { ...limit, life: 'gtt' };
    expect([lifeFor({ ...timed, kind: 'market' }), lifeFor({ ...timed, kind: 'stop' }), lifeFor({ ...timed, kind: 'pegged' })]).toEqual(['ioc', 'gtt', 'gtt']);
  });

  it('meets as many orders as the program allows', () => {
    const order = orderOf(form, measure) as OrderInput;
    expect(orderArgs(order).maxMakers).toBe(maxMakers());
    expect(maxMakers()).toBe(64);
  });

  it('ends at a time only what rests', () => {
    expect(orderOf({ ...limit, life: 'gtt', minutes: '5' }, measure)).toMatchObject({ kind: 'limit', expiresAt: 1_300n });
    expect(orderOf({ ...form, life: 'gtt', minutes: '5' }, measure)).toMatchObject({ kind: 'immediateOrCancel', expiresAt: 0n });
    expect(orderOf({ ...limit, life: 'gtt', minutes: '' }, measure)).toContain('minutes');
  });

  it('pegs an order to the mark, on the tick, with a limit inside the band', () => {
    const pegged: TicketForm = { ...form, kind: 'pegged', offset: '-10.05' };
    expect(orderOf(pegged, measure)).toMatchObject({ kind: 'limit', peg: -100n, price: 1_274_700n });
    expect(orderOf({ ...pegged, buys: false, offset: '10', limit: '120000' }, measure)).toMatchObject({ peg: 100n, price: 1_200_000n });
    expect(orderOf({ ...pegged, offset: 'x' }, measure)).toContain('mark');
  });

  it('says what becomes of an own order that it would meet', () => {
    expect(orderOf(form, measure)).toMatchObject({ selfTrade: 'cancelResting' });
    const wire = (selfTrade: TicketForm['selfTrade']) => orderArgs(orderOf({ ...form, selfTrade }, measure) as OrderInput).selfTrade;
    expect([wire('cancelResting'), wire('cancelTaking'), wire('decrement')]).toEqual([SelfTradeMode.CancelResting, SelfTradeMode.CancelTaking, SelfTradeMode.Decrement]);
    const pegged: TicketForm = { ...form, kind: 'pegged' };
    expect([takes(form), takes(limit), takes({ ...limit, post: 'slide' }), takes(pegged), takes({ ...form, kind: 'stop' })]).toEqual([true, true, false, true, false]);
  });

  it('says what is missing', () => {
    expect(orderOf({ ...form, amount: '' }, measure)).toBe('Enter a size.');
    expect(orderOf({ ...limit, limit: 'x' }, measure)).toBe('Enter a price.');
    expect(orderOf({ ...form, amount: '5' }, measure)).toContain('smallest order');
    expect(orderOf({ ...form, slippage: '80' }, measure)).toContain('Slippage');
  });

  it('never asks for a price outside the band or off the tick', () => {
    expect(worstPrice(market, true, 5_000n)).toBe(1_274_700n);
    expect(worstPrice({ ...market, bandLow: 1_153_301n }, false, 5_000n)).toBe(1_153_310n);
  });
});

describe('what is not filled', () => {
  const dropped = (lacks: Preview['lacks'], lots = 100n): string => {
    const { container, unmount } = render(createElement(Dropped, { preview: { dropped: lots, makers: 64, lacks } as Preview, market }));
    const text = container.textContent;
    unmount();
    return text;
  };

  it('is told with its reason: the book, the number of orders, an own order', () => {
    expect(dropped('orders')).toBe('Not filled: the book has no more at that price0.001 BTC');
    expect(dropped('makers')).toContain('one order meets 64 others at most');
    expect(dropped('own')).toContain('own order');
    expect(dropped(undefined, 0n)).toBe('');
  });
});

describe('a bracket', () => {
  const order = orderOf(form, measure) as OrderInput;
  const bracket: TicketForm = { ...form, bracket: true, takeProfit: '125000', stopLoss: '118000' };

  it('sells what was bought, above and below the entry, whole or for the lots that were added', () => {
    expect(bracketOf(bracket, measure, order, 0n)).toMatchObject([
      { buys: false, stop: false, price: 1_250_000n, lots: null },
      { buys: false, stop: true, price: 1_180_000n, lots: null },
    ]);
    expect(bracketOf(bracket, measure, order, 5n)).toMatchObject([{ lots: order.lots }, { lots: order.lots }]);
  });

  it('is refused on the wrong side of the entry, which for a resting order is its own price', () => {
    expect(bracketOf({ ...bracket, stopLoss: '122000' }, measure, order, 0n)).toContain('below');
    const resting: TicketForm = { ...bracket, kind: 'limit', limit: '119000', takeProfit: '120000', stopLoss: '118000' };
    expect(bracketOf(resting, measure, orderOf(resting, measure) as OrderInput, 0n)).toHaveLength(2);
    expect(bracketOf({ ...resting, stopLoss: '119500' }, measure, orderOf(resting, measure) as OrderInput, 0n)).toContain('below');
  });

  it('wants at least one of the two', () => {
    expect(bracketOf({ ...bracket, takeProfit: '', stopLoss: '' }, measure, order, 0n)).toContain('Enter');
    expect(bracketOf({ ...bracket, takeProfit: '' }, measure, order, 0n)).toHaveLength(1);
  });
});

describe('a stop from the ticket', () => {
  const account = { positions: [{ market: 0, lots: 500n }] } as AccountInfo;
  const stop: TicketForm = { ...form, kind: 'stop', buys: false, amount: '', trigger: '118000' };

  it('is a stop beyond the mark and a take-profit before it, for the whole position unless a size is given', () => {
    expect(stopOf(stop, measure, account)).toMatchObject({ buys: false, stop: true, price: 1_180_000n, lots: null });
    expect(stopOf({ ...stop, trigger: '125000' }, measure, account)).toMatchObject({ stop: false });
    expect(stopOf({ ...stop, unit: 'percent', amount: '50' }, measure, account)).toMatchObject({ lots: 250n });
    expect(stopOf({ ...stop, limit: '117000' }, measure, account)).toMatchObject({ limit: 1_170_000n });
  });

  it('needs a position that it reduces', () => {
    expect(stopOf({ ...stop, buys: true }, measure, account)).toContain('short');
    expect(stopOf(stop, measure, null)).toContain('long');
  });
});

describe('a trigger that is typed', () => {
  const context = { market, buys: false, stop: true, reference: market.mark, now: 1_000 };

  it('trails in per cent, inside the program’s bounds', () => {
    expect(triggerOf({ ...emptyForm(), trails: true, at: '2.5' }, context)).toMatchObject({ trailPpm: 25_000, price: 0n });
    expect(triggerOf({ ...emptyForm(), trails: true, at: '60' }, context)).toContain('trails');
    expect(triggerOf({ ...emptyForm(), trails: true, at: '0.005' }, context)).toContain('trails');
  });

  it('comes back as it was typed', () => {
    const trigger = { id: 1n, market: 0, buys: false, stop: true, price: 1_180_000n, lots: 20n, slippageBps: 50, expiresAt: 5_000n } as TriggerInfo;
    const typed = formOf(trigger, market);
    expect(typed).toMatchObject({ at: '118000.0', size: '0.0002', slippage: '0.5' });
    expect(triggerOf(typed, { ...context, expiresAt: trigger.expiresAt })).toMatchObject({ price: 1_180_000n, lots: 20n, slippageBps: 50, expiresAt: 5_000n });
    expect(triggerOf({ ...typed, hours: '2' }, context)).toMatchObject({ expiresAt: 8_200n });
  });
});

describe('a ladder that is typed', () => {
  it('is sorted by ratio and leaves empty rows out', () => {
    const rows = [{ ratio: '120', part: '50' }, { ratio: '', part: '' }, { ratio: '150', part: '25' }];
    expect(rungsOf(rows)).toEqual([{ ratioBps: 15_000, reduceBps: 2_500 }, { ratioBps: 12_000, reduceBps: 5_000 }]);
  });

  it('says which bound was missed', () => {
    expect(rungsOf([{ ratio: '104', part: '50' }])).toContain('margin ratio');
    expect(rungsOf([{ ratio: '150', part: '101' }])).toContain('part');
    expect(rungsOf([{ ratio: '150', part: '10' }, { ratio: '150', part: '20' }])).toContain('same');
  });
});

describe('an isolated position', () => {
  it('is given its value over its leverage and the fee, rounded up', () => {
    expect(isolatedMargin(10_000_001n, '5', 500)).toBe(2_000_001n + 5_001n);
    expect(isolatedMargin(10n, '0.5', 0)).toBeNull();
  });

  it('is at most as large as the account can pay for', () => {
    const most = isolatedMost(1_000_000_000n, '10', 500, market.mark);
    expect(isolatedMargin(most * market.mark, '10', 500)! <= 1_000_000_000n).toBe(true);
    expect(isolatedMargin((most + 2n) * market.mark, '10', 500)! > 1_000_000_000n).toBe(true);
  });
});
