// A trader's way through the page, against the compiled program.
import type { BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { tableAddresses } from '../src/lib/tables';
import { confirmed as settled, open, violations } from './visit';
import { World, picture } from './world';

let world: World;
let context: BrowserContext;
let page: Page;
const complaints: string[] = [];

const confirmed = (title: RegExp | string): Promise<void> => settled(page, title);

beforeAll(async () => {
  world = await World.start();
  context = await world.visitor();
  page = await open(world, context, complaints);
});

afterEach(async ({ task }) => {
  if (task.result?.state === 'fail') await picture(page, 'failure');
});

afterAll(async () => {
  await world.stop();
});

describe('a trader', () => {
  it('sees a living market', async () => {
    await page.getByTestId('mark').waitFor();
    const mark = page.getByTestId('mark');
    const first = await mark.innerText();
    await expect.poll(() => mark.innerText(), { timeout: 15_000 }).not.toBe(first);
    await expect.poll(() => page.getByTestId('book').getByRole('button').count()).toBeGreaterThan(6);
    await page.getByRole('button', { name: 'Trades' }).click();
    await expect.poll(() => page.getByTestId('trades').locator('time').count(), { timeout: 20_000 }).toBeGreaterThan(0);
    await page.getByRole('button', { name: 'Book', exact: true }).click();
  });

  it('has a network whose exchange has a lookup table with all of its markets', async () => {
    const where = { encoding: 'base64', filters: [{ memcmp: { offset: 120, bytes: world.facts.exchange } }] };
    const [table, ...more] = await world.call<{ pubkey: string; account: { data: [string] } }[]>('getProgramAccounts', ['AddressLookupTab1e1111111111111111111111111', where]);
    expect(more).toEqual([]);
    const markets = await page.getByRole('combobox', { name: 'Market' }).getByRole('option').count();
    expect(tableAddresses(Buffer.from(table!.account.data[0], 'base64')).length).toBeGreaterThanOrEqual(6 + 3 * markets);
  });

  it('is told when the wallet refuses to connect, and connects', async () => {
    await page.getByRole('button', { name: 'Connect', exact: true }).click();
    await page.evaluate(() => (window.refuses = true));
    await page.getByRole('button', { name: 'Test wallet' }).click();
    await page.getByText('The wallet did not sign.').waitFor();
    await page.evaluate(() => (window.refuses = false));
    await page.getByRole('button', { name: 'Test wallet' }).click();
    await expect.poll(() => page.getByRole('dialog').count()).toBe(0);
    await page.getByRole('button', { name: 'Dismiss' }).click();
  });

  it('deposits', async () => {
    await page.getByRole('banner').getByRole('button').last().click();
    const address = (await page.getByRole('dialog').locator('.font-mono').innerText()).trim();
    await world.fund(address, 10_000);
    await page.getByRole('button', { name: 'Close', exact: true }).click();
    await page.getByRole('button', { name: 'Deposit to trade' }).click();
    await page.getByLabel('Dollars').fill('5000');
    const submit = page.getByRole('button', { name: 'Deposit', exact: true });
    await expect.poll(() => submit.isEnabled(), { timeout: 15_000 }).toBe(true);
    await submit.click();
    await confirmed('Deposit');
    await page.getByRole('button', { name: 'Account', exact: true }).click();
    await expect.poll(() => page.getByTestId('summary').innerText()).toContain('5,000.00');
    await page.getByRole('button', { name: 'Positions' }).click();
  });

  it('previews a market order and gets what was previewed', async () => {
    await page.getByLabel('Size', { exact: true }).fill('12000');
    await page.getByTestId('preview').waitFor();
    const foreseen = await page.getByTestId('preview-liquidation').innerText();
    expect(foreseen).not.toBe('–');
    await picture(page, 'ticket');
    await page.getByTestId('submit-order').click();
    await confirmed('Buy');
    const row = page.getByTestId('positions').locator('tbody tr').first();
    await row.waitFor();
    expect(await row.innerText()).toContain('long');
    await expect.poll(() => row.getByRole('img').count(), { timeout: 15_000 }).toBe(1);
    await picture(page, 'trade');
  });

  it('says why an order is refused before anything is signed', async () => {
    // Deep enough into the book for more than the account can carry.
    await page.getByLabel('Slippage at most (%)').fill('2');
    await page.getByLabel('Size', { exact: true }).fill('9000000');
    await page.getByText('Not enough margin').waitFor();
    expect(await page.getByTestId('submit-order').isDisabled()).toBe(true);
    await page.getByLabel('Size', { exact: true }).fill('');
    await page.getByLabel('Slippage at most (%)').fill('0.5');
  });

  it('rests a limit order and cancels it', async () => {
    await page.getByRole('button', { name: 'Limit' }).click();
    await page.getByLabel('Price (USD)').fill('119000');
    await page.getByLabel('Size', { exact: true }).fill('1000');
    await page.getByTestId('submit-order').click();
    await confirmed('Buy');
    await page.getByRole('button', { name: /^Orders/ }).click();
    await page.getByTestId('orders').locator('tbody tr').first().waitFor();
    await page.getByRole('button', { name: /^Cancel the order/ }).click();
    await confirmed('Cancel');
    await page.getByText('No resting orders.').waitFor();
    await page.getByRole('button', { name: /^Positions/ }).click();
  });

  it('is not signed for when the wallet refuses, and nothing happens', async () => {
    await page.getByRole('button', { name: 'Market', exact: true }).click();
    await page.getByLabel('Size', { exact: true }).fill('500');
    await page.evaluate(() => (window.refuses = true));
    await page.getByTestId('submit-order').click();
    await page.getByText('The wallet did not sign.').waitFor();
    await page.evaluate(() => (window.refuses = false));
    await page.getByRole('button', { name: 'Dismiss' }).click();
  });

  it('comes through a lost connection', async () => {
    await context.setOffline(true);
    await page.getByText('The connection is lost').waitFor({ timeout: 30_000 });
    await picture(page, 'lost');
    await context.setOffline(false);
    await page.getByText('The connection is lost').waitFor({ state: 'detached', timeout: 30_000 });
    const mark = page.getByTestId('mark');
    const before = await mark.innerText();
    await expect.poll(() => mark.innerText(), { timeout: 20_000 }).not.toBe(before);
    complaints.length = 0;
  });

  it('reads the risk of the market and of the own position', async () => {
    await page.getByRole('link', { name: 'Risk' }).click();
    await page.getByTestId('reserves').waitFor();
    await page.getByText('Your position would go from').waitFor({ timeout: 20_000 });
    await picture(page, 'risk');
    expect(await violations(page)).toEqual([]);
  });

  it('closes part of the position and then the rest', async () => {
    await page.getByRole('link', { name: 'Trade' }).click();
    await page.getByTestId('positions').getByRole('button', { name: 'Close' }).click();
    await page.getByRole('button', { name: '50 %' }).last().click();
    await picture(page, 'close');
    await page.getByRole('button', { name: 'Close at the market' }).click();
    await confirmed('Close');
    await page.getByTestId('positions').getByRole('button', { name: 'Close' }).click();
    await page.getByRole('button', { name: 'Close at the market' }).click();
    await confirmed('Close');
    await page.getByText('No positions.').waitFor();
  });

  it('withdraws', async () => {
    await page.getByRole('link', { name: 'Account' }).click();
    await picture(page, 'account');
    expect(await violations(page)).toEqual([]);
    await page.getByRole('button', { name: 'Withdraw' }).click();
    await page.getByLabel('Dollars').fill('1000');
    await page.getByRole('button', { name: 'Withdraw' }).last().click();
    await confirmed('Withdraw');
    await page.getByText('Wallet: 6,000.00').waitFor();
  });

  it('meets no accessibility violations on the trading page, dark or light', async () => {
    await page.getByRole('link', { name: 'Trade' }).click();
    await page.getByTestId('mark').waitFor();
    expect(await violations(page)).toEqual([]);
    await page.getByRole('button', { name: /^Switch to light/ }).click();
    await picture(page, 'trade-light');
    expect(await violations(page)).toEqual([]);
  });

  it('meets no errors', () => {
    expect(complaints).toEqual([]);
  });
});

describe('a newcomer', () => {
  it('has a burner wallet with money after a few clicks, on a phone', async () => {
    const phone = await world.visitor({ viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true });
    const small = await open(world, phone, complaints);
    await small.getByTestId('mark').waitFor();
    await small.getByRole('button', { name: 'Connect', exact: true }).click();
    await small.getByRole('button', { name: /^Burner/ }).click();
    await small.getByRole('button', { name: 'Get test money' }).click();
    await small.getByText('The wallet has test money').waitFor();
    await small.getByRole('button', { name: 'Order', exact: true }).click();
    await picture(small, 'phone-order');
    const width = await small.evaluate(() => document.documentElement.scrollWidth);
    expect(width).toBeLessThanOrEqual(390);
    await small.getByRole('button', { name: 'Chart', exact: true }).click();
    await picture(small, 'phone-chart');
    expect(await violations(small)).toEqual([]);
    await phone.close();
  });

  it('trades with the account that was chosen last, after a reload, too, and with another once that is gone', async () => {
    const visitor = await world.visitor();
    const own = await open(world, visitor, complaints);
    await own.getByTestId('mark').waitFor();
    await own.getByRole('button', { name: 'Connect', exact: true }).click();
    await own.getByRole('button', { name: /^Burner/ }).click();
    await own.getByRole('button', { name: 'Get test money' }).click();
    await own.getByText('The wallet has test money').waitFor();
    const put = async (opens: string, dollars: string): Promise<void> => {
      await own.getByRole('button', { name: opens }).click();
      await own.getByLabel('Dollars').fill(dollars);
      await own.getByRole('dialog').getByRole('button', { name: 'Deposit', exact: true }).click();
      await settled(own, 'Deposit');
    };
    const chosen = () => own.getByRole('group', { name: 'Margin accounts' }).getByRole('button', { pressed: true });
    const go = async (name: string): Promise<void> => own.getByRole('navigation').getByRole('link', { name, exact: true }).click();
    await put('Deposit to trade', '1000');
    await go('Account');
    await put('+ New account', '200');
    await go('Trade');
    for (const times of [1, 2]) {
      await expect.poll(() => chosen().innerText(), { message: `visit ${times}` }).toMatch(/^account 2/i);
      expect(await own.getByTestId('goes-to').innerText()).toBe('Goes to account 2.');
      await own.reload();
      await own.getByTestId('mark').waitFor();
    }
    await go('Account');
    await own.getByRole('button', { name: 'Move 200.00 back to account 1' }).click();
    await settled(own, 'back to account 1');
    await own.getByRole('button', { name: 'Close account 2' }).click();
    await settled(own, 'Close account 2');
    await expect.poll(() => chosen().innerText()).toMatch(/^account 1/i);
    await own.reload();
    await expect.poll(() => chosen().innerText()).toMatch(/^account 1/i);
    await visitor.close();
  }, 60_000);

  it('sees the first paint soon', async () => {
    const visitor = await world.visitor();
    const fresh = await open(world, visitor, complaints);
    await fresh.getByTestId('mark').waitFor();
    const paint = await fresh.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? Infinity);
    console.log(`first contentful paint after ${Math.round(paint)} ms`);
    expect(paint).toBeLessThan(1_500);
    await visitor.close();
  });
});
