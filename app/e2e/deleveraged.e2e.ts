// A trader in profit is deleveraged, because a position on the other side went bankrupt and nobody took it over: against the
// compiled program, real keepers that take nothing over, and a real indexer. What the page says before, then, and afterwards.
import { readFileSync } from 'node:fs';

import type { BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { alarmed, confirmed, dismissAll, open, settleIn, take, violations } from './visit';
import { World, freePort, picture } from './world';

/** The thinnest market of the local network. */
const MARKET = 'AVAX';
const VALUE = 20_000;

let world: World;
let context: BrowserContext;
let page: Page;
const complaints: string[] = [];

/** The position's size as it is shown, in units of the market; zero when it is not there any more. */
async function shownSize(): Promise<number> {
  const row = page.getByTestId('positions').locator('tbody tr').filter({ hasText: MARKET });
  if ((await row.count()) === 0) return 0;
  return Math.abs(Number((await row.locator('td').nth(1).innerText()).replace(/[^\d.]/g, '')));
}

beforeAll(async () => {
  const port = await freePort();
  world = await World.start(['--prices', 'calm', '--keepers', '1', '--no-takers', '--indexer-port', String(port)]);
  context = await world.visitor();
  page = await open(world, context, complaints, `#/trade/${MARKET}`, `&indexer=${encodeURIComponent(`http://127.0.0.1:${port}`)}`);
  await page.getByTestId('mark').waitFor();
}, 180_000);

afterEach(async ({ task }) => {
  if (task.result?.state === 'fail') await picture(page, 'failure-deleveraged');
});

afterAll(async () => {
  await world.stop();
});

describe('a short in profit', () => {
  let before: number;
  let after: number;

  it('sees how many are deleveraged before it', async () => {
    await settleIn(page, world, 6_000, 2_400);
    await take(page, 'Sell', VALUE);
    // Whose loss will exceed his money.
    const other = await open(world, await world.visitor(), complaints, `#/trade/${MARKET}`);
    await other.getByTestId('mark').waitFor();
    await settleIn(other, world, 6_000, 3_000);
    await take(other, 'Buy', VALUE);
    await other.close();
    before = await shownSize();
    expect(before).toBeGreaterThan(0);
    world.shock(MARKET, -4);
    const row = page.getByTestId('positions').locator('tbody tr').first();
    await row.getByRole('img', { name: /^[1-5] of 5 lights$/ }).waitFor({ timeout: 60_000 });
    expect(await row.innerText()).toMatch(/% ahead/);
    await picture(page, 'deleveraged-lights');
  }, 120_000);

  it('is reduced when a long that nobody takes over is bankrupt', async () => {
    world.shock(MARKET, -30);
    // Nobody writes to the account: what the ranking index took is computed from the index.
    await expect.poll(shownSize, { timeout: 120_000, interval: 500 }).toBeLessThan(before);
    await page.locator('[data-stage="forced"]').first().waitFor({ timeout: 20_000 });
    await picture(page, 'deleveraged-position');
    expect(await violations(page)).toEqual([]);
    expect(await alarmed(page, `${MARKET}: account 1 was reduced for another’s bankruptcy`, 20_000)).toMatch(/AVAX were taken of its position. It paid [\d,.]+, [\d,.]+ each/);
  }, 180_000);

  it('rests an order and cancels it', async () => {
    await page.getByRole('button', { name: 'Limit', exact: true }).click();
    await page.getByRole('button', { name: 'Sell / Short' }).click();
    const mark = Number((await page.getByTestId('mark').innerText()).replaceAll(',', ''));
    await page.getByLabel('Price (USD)').fill((mark * 1.04).toFixed(2));
    await page.getByLabel('Size', { exact: true }).fill('300');
    await expect.poll(() => page.getByTestId('submit-order').isEnabled(), { timeout: 20_000 }).toBe(true);
    await page.getByTestId('submit-order').click();
    await confirmed(page, 'Sell');
    const tabs = page.getByRole('group', { name: 'What to see of the account' });
    await tabs.getByRole('button', { name: /^Orders/ }).click();
    await page.getByRole('button', { name: /^Cancel the order/ }).click();
    await confirmed(page, 'Cancel');
    await tabs.getByRole('button', { name: /^Positions/ }).click();
    await page.getByRole('button', { name: 'Market', exact: true }).click();
  }, 90_000);

  it('finds its receipt in the history as soon as its account is touched, and it adds up', async () => {
    await take(page, 'Sell', 500);
    await dismissAll(page);
    after = await shownSize();
    await page.getByRole('link', { name: 'Account', exact: true }).click();
    await page.getByTestId('money').waitFor();
    await page.getByRole('button', { name: 'Deleveragings', exact: true }).click();
    const rows = page.getByTestId('history').locator('tbody tr').filter({ hasText: 'reduced for another’s bankruptcy' });
    await rows.first().waitFor({ timeout: 90_000 });
    await picture(page, 'deleveraged-history');
    expect(await violations(page)).toEqual([]);
    const cells = await rows.first().locator('td').allInnerTexts();
    expect(cells[1]).toBe(MARKET);
    const taken = Number(cells[3]!.replace(/[^\d.]/g, ''));
    expect(taken).toBeGreaterThan(0);
    expect(taken).toBeLessThanOrEqual(before);
    // What closed a short was paid.
    expect(cells[4]).toMatch(/^[-−–]/);
    const download = page.waitForEvent('download');
    await page.getByRole('button', { name: 'CSV' }).click();
    const csv = readFileSync(await (await download).path(), 'utf8');
    expect(csv.split('\n')[0]).toContain('kind');
    expect(csv).toContain('deleveraged');
  }, 120_000);

  it('reads why: who went bankrupt, the order, its own group, and that all numbers agree', async () => {
    await page.getByTestId('history').locator('tbody tr').first().getByRole('link').first().click();
    const overall = page.getByTestId('overall');
    await overall.waitFor({ timeout: 20_000 });
    expect(await overall.innerText()).toMatch(/^✓ All \d+ numbers agree/);
    expect(await page.locator('[data-verdict="differs"]').count()).toBe(0);
    expect(await page.getByRole('heading', { name: /^Shorts that were reduced$/ }).count()).toBe(1);
    const groups = page.getByTestId('ranking').locator('tbody tr');
    expect(await groups.count()).toBeGreaterThan(0);
    const score = async (at: number): Promise<number> => Number((await groups.nth(at).locator('td').nth(2).innerText()).replace(/[^\d.]/g, ''));
    const scores = await Promise.all([...Array(await groups.count()).keys()].map(score));
    expect(scores).toEqual([...scores].sort((a, b) => b - a));
    await picture(page, 'why-deleveraging');
    expect(await violations(page)).toEqual([]);
  }, 60_000);

  it('has the rest of its history from the indexer', async () => {
    await page.getByRole('link', { name: 'Account', exact: true }).click();
    await page.getByTestId('money').waitFor();
    const list = async (name: string): Promise<string> => {
      await page.getByRole('button', { name, exact: true }).click();
      const table = page.getByTestId('history');
      await table.waitFor({ timeout: 20_000 });
      return table.innerText();
    };
    const fills = await list('Fills');
    expect(fills).toContain(MARKET);
    expect(fills).toContain('sell');
    expect(await list('Transfers')).toContain('2,400.00');
    const realised = await list('Profit');
    expect(realised).toContain('own order, taken');
    // It was sold dearer than it was taken at.
    expect(realised).toMatch(/reduced for another’s bankruptcy\s+buy\s+[\d.,]+\s+0\.00\s+\+[\d.,]+/);
    const orders = await list('Orders');
    expect(orders).toMatch(/placed/);
    expect(orders).toMatch(/cancelled/);
    const funding = page.getByTestId('history').locator('tbody tr').filter({ hasText: MARKET });
    await list('Funding');
    await expect.poll(() => funding.count(), { timeout: 20_000 }).toBeGreaterThan(0);
    expect(await funding.first().locator('td').nth(2).innerText()).toMatch(/^[+−]?[\d,.]+$/);
  }, 60_000);

  it('has lost as much as its receipts say, to the lot', async () => {
    /** The sum of the sizes in a list's rows. */
    const sum = async (list: string, rows: string, column: number): Promise<number> => {
      await page.getByRole('button', { name: list, exact: true }).click();
      const shown = page.getByTestId('history').locator('tbody tr').filter({ hasText: rows });
      await shown.first().waitFor({ timeout: 20_000 });
      const older = page.getByRole('button', { name: 'Older', exact: true });
      while ((await older.count()) > 0) {
        const known = await page.getByTestId('history').locator('tbody tr').count();
        await older.click();
        await expect.poll(async () => (await older.count()) === 0 || (await page.getByTestId('history').locator('tbody tr').count()) > known).toBe(true);
      }
      const sizes = await shown.locator(`td:nth-child(${column})`).allInnerTexts();
      return sizes.reduce((total, text) => total + Number(text.replace(/[^\d.]/g, '')), 0);
    };
    const sold = await sum('Fills', 'sell', 4);
    const taken = await sum('Deleveragings', 'reduced for another’s bankruptcy', 4);
    expect(taken).toBeGreaterThan(0);
    expect(sold - taken).toBeCloseTo(after, 6);
    // What was sold before it was reduced is what was held then.
    expect(sold).toBeGreaterThan(before);
  }, 60_000);

  it('sees in the insurance’s history what the market’s insurance paid', async () => {
    await page.getByRole('link', { name: 'Insurance', exact: true }).click();
    await page.getByTestId('vault').waitFor();
    const table = page.getByRole('region', { name: 'Income and payments, newest first' }).locator('tbody tr');
    await table.first().waitFor({ timeout: 30_000 });
    expect(await table.filter({ hasText: MARKET }).count()).toBeGreaterThan(0);
    await picture(page, 'insurance-history');
    expect(await violations(page)).toEqual([]);
  }, 60_000);

  it('meets no errors', () => {
    expect(complaints).toEqual([]);
  });
});
