// Trading for somebody else: an owner names a delegate, who trades with the owner's money but cannot take it, until he is
// dismissed. And what becomes of an order that meets one of the same owner. Against the compiled program.
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { confirmed, open, settleIn, take, violations } from './visit';
import { World, picture } from './world';

let world: World;
let owner: Page;
let delegate: Page;
let ownerAddress: string;
const complaints: string[] = [];

const page = async (): Promise<Page> => {
  const opened = await open(world, await world.visitor(), complaints);
  await opened.getByTestId('mark').waitFor();
  return opened;
};
const short = (address: string): RegExp => new RegExp(`${address.slice(0, 4)}.+${address.slice(-4)}`);
const tab = (on: Page, name: string) => on.getByRole('group', { name: 'What to see of the account' }).getByRole('button', { name: new RegExp(`^${name}`) });
const go = async (on: Page, name: string): Promise<void> => on.getByRole('navigation').getByRole('link', { name, exact: true }).click();

beforeAll(async () => {
  world = await World.start();
  [owner, delegate] = [await page(), await page()];
}, 180_000);

afterEach(async ({ task }) => {
  if (task.result?.state !== 'fail') return;
  await picture(owner, 'failure-owner');
  await picture(delegate, 'failure-delegate');
});

afterAll(async () => {
  await world.stop();
});

describe('a delegate', () => {
  it('is named by the owner', async () => {
    ownerAddress = await settleIn(owner, world, 10_000, 5_000);
    // The delegate's wallet needs SOL for fees; that it has an account of its own, too, must not mix the two up.
    const address = await settleIn(delegate, world, 1_000, 100);
    await go(owner, 'Account');
    await owner.getByPlaceholder('Address').fill(address);
    await owner.getByRole('button', { name: 'Name', exact: true }).click();
    await confirmed(owner, 'Name a delegate');
    await owner.getByText(address).waitFor();
  }, 120_000);

  it('finds the account and trades for it, with the owner’s money', async () => {
    await go(delegate, 'Account');
    const entrusted = delegate.getByRole('region', { name: 'Accounts entrusted to you' });
    await entrusted.getByRole('button', { name: short(ownerAddress) }).click();
    await delegate.getByText('You trade for account 1').waitFor();
    await expect.poll(() => delegate.getByTestId('money').innerText()).toContain('5,000.00');
    for (const name of ['Withdraw', 'Transfer', '+ New account', 'Name']) expect(await delegate.getByRole('button', { name, exact: true }).count(), name).toBe(0);
    await picture(delegate, 'delegate-account');
    expect(await violations(delegate)).toEqual([]);
    await go(delegate, 'Trade');
    await take(delegate, 'Buy', 3_000);
    await picture(delegate, 'delegate-trade');
    expect(await violations(delegate)).toEqual([]);
    // It is the owner's position.
    await go(owner, 'Trade');
    await owner.getByTestId('positions').locator('tbody tr').first().waitFor();
    expect(await owner.getByTestId('positions').innerText()).toContain('long');
  }, 120_000);

  it('protects the position, but sets no ladder and isolates nothing', async () => {
    expect(await delegate.getByLabel('Isolated: an account of its own').isDisabled()).toBe(true);
    await tab(delegate, 'Protection').click();
    await delegate.getByTestId('ladder').waitFor();
    expect(await delegate.getByRole('button', { name: 'Set a ladder' }).count()).toBe(0);
    await tab(owner, 'Protection').click();
    await owner.getByRole('button', { name: 'Set a ladder' }).waitFor();
    await tab(delegate, 'Positions').click();
  });

  it('has its own account back with a click', async () => {
    await delegate.getByRole('button', { name: 'Back to your own accounts' }).click();
    await delegate.getByText('No positions.').waitFor();
    await tab(delegate, 'Account').click();
    await expect.poll(() => delegate.getByTestId('summary').innerText()).toContain('100.00');
    await tab(delegate, 'Positions').click();
  });

  it('loses the account when it is dismissed, and is told', async () => {
    await go(delegate, 'Account');
    await delegate.getByRole('region', { name: 'Accounts entrusted to you' }).getByRole('button', { name: short(ownerAddress) }).click();
    await delegate.getByTestId('money').waitFor();
    await go(owner, 'Account');
    await owner.getByRole('region', { name: 'Delegate' }).getByRole('button', { name: 'Remove' }).click();
    await confirmed(owner, 'Remove the delegate');
    await delegate.getByText('may not trade for that account').waitFor({ timeout: 20_000 });
    await delegate.getByRole('button', { name: 'Back to your own accounts' }).first().click();
    await expect.poll(() => delegate.getByTestId('money').innerText()).toContain('100.00');
  }, 120_000);
});

describe('an order that meets one of the same owner', () => {
  const rows = () => owner.getByTestId('orders').locator('tbody tr');
  const SOLD = 200;
  /** What is left of the resting order, in units of the market; zero when it is gone. */
  const left = async (): Promise<number> => {
    const cells = await rows().locator('td:nth-child(4)').allInnerTexts();
    return cells.reduce((sum, text) => sum + Number(text.replaceAll(',', '')), 0);
  };
  /** Rests an order to buy at the best of its side, a step below the lowest ask: whoever sells meets it first. */
  const rest = async (): Promise<void> => {
    await owner.getByRole('button', { name: 'Limit', exact: true }).click();
    await owner.getByRole('button', { name: 'Buy / Long' }).click();
    await owner.getByLabel('Post only').selectOption('slide');
    const asks = owner.getByTestId('book').getByRole('button');
    const best = Math.max(...(await asks.allInnerTexts()).map((text) => Number(text.split(/\s/)[0]!.replaceAll(',', ''))));
    await owner.getByLabel('Price (USD)').fill(String(best));
    await owner.getByLabel('Size', { exact: true }).fill('500');
    await expect.poll(() => owner.getByTestId('submit-order').isEnabled(), { timeout: 20_000 }).toBe(true);
    await owner.getByTestId('submit-order').click();
    await confirmed(owner, 'Buy');
  };
  /**
   * Sells into the resting order until what became of that fits. Others trade, too: one of them may be quicker, and then it is tried
   * again; but what the page sends wrongly never fits.
   */
  const sell = async (mode: string, fits: (before: number, after: number, sold: number) => boolean): Promise<void> => {
    const seen: string[] = [];
    for (let tries = 0; tries < 8; tries++) {
      if ((await left()) === 0) await rest();
      await owner.getByRole('button', { name: 'Market', exact: true }).click();
      await owner.getByRole('button', { name: 'Sell / Short' }).click();
      await owner.getByLabel('Own orders').selectOption({ label: mode });
      await owner.getByLabel('Size', { exact: true }).fill(String(SOLD));
      await expect.poll(() => owner.getByTestId('submit-order').isEnabled(), { timeout: 20_000 }).toBe(true);
      const sold = SOLD / Number((await owner.getByTestId('mark').innerText()).replaceAll(',', ''));
      const before = await left();
      await owner.getByTestId('submit-order').click();
      await confirmed(owner, 'Sell');
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      const after = await left();
      if (before > 0 && fits(before, after, sold)) return;
      seen.push(`${before} → ${after}`);
    }
    throw new Error(`${mode}: ${seen.join(', ')}`);
  };
  const about = (value: number, wanted: number): boolean => Math.abs(value - wanted) < wanted / 20;

  it('shrinks it by its own size, where that was asked for', async () => {
    await go(owner, 'Trade');
    await tab(owner, 'Orders').click();
    await sell('Shrink both', (before, after, sold) => about(before - after, sold));
  }, 180_000);

  it('is dropped before it, where that was asked for', async () => {
    await sell('Stop this one', (before, after) => after === before);
    await picture(owner, 'self-trade');
  }, 180_000);

  it('cancels it otherwise', async () => {
    await sell('Cancel the resting one', (_, after) => after === 0);
    await owner.getByText('No resting orders.').waitFor();
  }, 180_000);

  it('meets no errors', () => {
    expect(complaints).toEqual([]);
  });
});
