// Three traders through a crash, against the compiled program and real keepers: one is reduced by force and reads why; one while its
// connection is lost, and hears of it afterwards; the last reads of all that were, and withdraws. Keepers take over here what the book does not close; deleveraged.e2e.ts is about when nobody does.
import type { BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { alarmed, confirmed, dismissAll, open, settleIn, take, violations } from './visit';
import { World, picture } from './world';

/** The thinnest market of the local network. */
const MARKET = 'AVAX';
const REDUCED_MS = 90_000;

let world: World;
const complaints: string[] = [];

interface Trader {
  context: BrowserContext;
  page: Page;
}

let loser: Trader;
let absent: Trader;
let winner: Trader;

/** Connects, deposits, and takes a position of so many dollars. */
async function enter(side: 'Buy' | 'Sell', deposit: number, value: number, errors = complaints): Promise<Trader> {
  const context = await world.visitor();
  const page = await open(world, context, errors, `#/trade/${MARKET}`);
  await page.getByTestId('mark').waitFor();
  await settleIn(page, world, 2 * deposit, deposit);
  await take(page, side, value);
  return { context, page };
}

beforeAll(async () => {
  world = await World.start(['--prices', 'crash', '--keepers', '1']);
}, 180_000);

afterEach(async ({ task }) => {
  if (task.result?.state !== 'fail') return;
  const there = Object.entries({ loser, absent, winner }).filter(([, trader]) => Boolean(trader) && !trader.page.isClosed());
  for (const [name, { page }] of there) await picture(page, `failure-${name}`);
});

afterAll(async () => {
  await world.stop();
});

describe('a crash', () => {
  it('finds two longs with much leverage and a short in profit', async () => {
    loser = await enter('Buy', 3_000, 20_000);
    absent = await enter('Buy', 1_500, 10_000, []);
    winner = await enter('Sell', 3_000, 20_000);
  }, 180_000);

  it('liquidates the longs', async () => {
    const { page } = loser;
    await page.getByRole('link', { name: 'Account', exact: true }).click();
    await page.getByTestId('money').waitFor();
    await absent.context.setOffline(true);
    await absent.page.getByText('The connection is lost').waitFor({ timeout: 30_000 });
    world.shock(MARKET, -30);
    const table = page.getByRole('region', { name: 'Forced reductions of this account' });
    await table.getByRole('link').first().waitFor({ timeout: REDUCED_MS });
    await picture(page, 'account-history');
    expect(await violations(page)).toEqual([]);
    expect(await alarmed(page, `${MARKET}: account 1 was`, 20_000)).toMatch(/of its long were (closed|taken)/);
  }, 180_000);

  it('is explained to whom it liquidated, and all numbers agree', async () => {
    const { page } = loser;
    await dismissAll(page);
    await page.getByRole('link', { name: /^Why:/ }).last().click();
    const overall = page.getByTestId('overall');
    await overall.waitFor({ timeout: 20_000 });
    expect(await overall.innerText()).toMatch(/^✓ All \d+ numbers agree/);
    const numbers = page.getByTestId('numbers').locator('tbody tr');
    expect(await numbers.count()).toBeGreaterThan(3);
    expect(await page.locator('[data-verdict="differs"]').count()).toBe(0);
    await picture(page, 'why-liquidation');
    expect(await violations(page)).toEqual([]);
  });

  it('is told to one who was away, as soon as the connection is back', async () => {
    const { page, context } = absent;
    expect(await page.locator('[data-stage="forced"]').count()).toBe(0);
    await context.setOffline(false);
    expect(await alarmed(page, `${MARKET}: account 1 was`, 40_000)).toMatch(/of its long were (closed|taken)/);
    await context.close();
  }, 60_000);

  it('is in the list that anybody can read, in both colours', async () => {
    const { page } = winner;
    await page.getByRole('link', { name: 'Why', exact: true }).click();
    const row = page.getByTestId('forced').locator('tbody tr').filter({ hasText: MARKET });
    await row.first().waitFor({ timeout: REDUCED_MS });
    await picture(page, 'why-list');
    expect(await violations(page)).toEqual([]);
    await row.last().getByRole('link').click();
    const overall = page.getByTestId('overall');
    await overall.waitFor({ timeout: 20_000 });
    expect(await overall.innerText()).toMatch(/^✓ All \d+ numbers agree/);
    await page.getByRole('button', { name: /^Switch to light/ }).click();
    await picture(page, 'why-light');
    expect(await violations(page)).toEqual([]);
    await page.getByRole('button', { name: /^Switch to dark/ }).click();
  }, 120_000);

  it('shows in the insurance and risk of the market', async () => {
    const { page } = winner;
    await page.getByRole('link', { name: 'Insurance', exact: true }).click();
    await page.getByTestId('vault').waitFor();
    await expect.poll(() => page.getByTestId('vault').innerText(), { timeout: 20_000 }).toMatch(/\d/);
    await picture(page, 'insurance');
    expect(await violations(page)).toEqual([]);
    await page.goto(world.address(`#/risk/${MARKET}`));
    await page.getByTestId('stress').waitFor({ timeout: 20_000 });
    await page.getByRole('button', { name: 'Fetch all accounts' }).click();
    await page.getByTestId('shock').waitFor({ timeout: 30_000 });
    await page.getByLabel('BTC', { exact: true }).fill('-30');
    await expect.poll(() => page.getByTestId('shock').innerText(), { timeout: 10_000 }).toMatch(/Accounts liquidated\s+[1-9]/);
    await page.screenshot({ path: 'screenshots/risk-everybody.png', fullPage: true });
    await page.getByTestId('shock').scrollIntoViewIfNeeded();
    await picture(page, 'risk-shock');
    expect(await violations(page)).toEqual([]);
  }, 120_000);

  it('leaves the winner money to withdraw', async () => {
    const { page } = winner;
    await page.getByRole('link', { name: 'Account', exact: true }).click();
    await page.getByRole('button', { name: 'Withdraw' }).click();
    await page.getByLabel('Dollars').fill('100');
    await page.getByRole('button', { name: 'Withdraw' }).last().click();
    await confirmed(page, 'Withdraw');
  });

  it('can be read on a phone', async () => {
    const context = await world.visitor({ viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true });
    const page = await context.newPage();
    await page.goto(world.address('#/why'));
    await page.getByTestId('forced').waitFor({ timeout: 30_000 });
    // The list scrolls sideways and grows while it is read: by keyboard.
    await page.getByRole('link', { name: /^Why:/ }).first().press('Enter');
    await page.getByTestId('overall').waitFor({ timeout: 20_000 });
    await picture(page, 'phone-why');
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
    expect(await violations(page)).toEqual([]);
    await page.goto(world.address('#/insurance'));
    await page.getByTestId('vault').waitFor();
    await picture(page, 'phone-insurance');
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
    expect(await violations(page)).toEqual([]);
    await context.close();
  });

  it('meets no errors', () => {
    expect(complaints).toEqual([]);
  });
});
