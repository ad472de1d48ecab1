// What a visitor of the page does and sees, for tests.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

import type { BrowserContext, Page } from 'playwright-core';
import { expect } from 'vitest';

import { installWallet } from './wallet';
import type { World } from './world';

/** Opens the page with a test wallet. Errors in its console go into `complaints`. */
export async function open(world: World, visitor: BrowserContext, complaints: string[], route = '', query = '', socket?: string): Promise<Page> {
  const opened = await visitor.newPage();
  await installWallet(opened);
  opened.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
  opened.on('pageerror', (error) => complaints.push(error.message));
  await opened.goto(world.address(route, query, socket));
  return opened;
}

/** Waits for a transaction's notice, sees that it was confirmed, and dismisses it. */
export async function confirmed(page: Page, title: RegExp | string): Promise<void> {
  const notice = page.locator('[data-stage]').filter({ hasText: title }).last();
  await notice.and(page.locator('[data-stage="done"], [data-stage="failed"]')).waitFor({ timeout: 30_000 });
  expect(await notice.getAttribute('data-stage'), await notice.innerText()).toBe('done');
  await notice.getByRole('button', { name: 'Dismiss' }).click();
}

/** Reads a notice of a forced reduction, and dismisses all that are shown. */
export async function alarmed(page: Page, title: string, timeout: number): Promise<string> {
  const alarm = page.locator('[data-stage="forced"]').filter({ hasText: title }).first();
  await alarm.waitFor({ timeout });
  const text = await alarm.innerText();
  await dismissAll(page);
  return text;
}

/** Dismisses all notices. */
export async function dismissAll(page: Page): Promise<void> {
  const buttons = page.getByRole('button', { name: 'Dismiss' });
  while ((await buttons.count()) > 0) await buttons.first().click({ timeout: 5_000 });
}

/** Accessibility violations of what is shown. */
export async function violations(shown: Page): Promise<string[]> {
  const source = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
  await shown.evaluate(source);
  return shown.evaluate(async () => {
    interface Axe {
      run: () => Promise<{ violations: { id: string; nodes: { html: string; failureSummary?: string }[] }[] }>;
    }
    const { violations: found } = await (window as unknown as { axe: Axe }).axe.run();
    return found.map(({ id, nodes }) => `${id}: ${nodes.map((node) => `${node.html} (${node.failureSummary ?? ''})`).join(' | ')}`);
  });
}

/** Takes a position of so many dollars in the market that is shown. */
export async function take(page: Page, side: 'Buy' | 'Sell', value: number): Promise<void> {
  await page.getByLabel('Slippage at most (%)').fill('2');
  await page.getByRole('button', { name: side === 'Buy' ? 'Buy / Long' : 'Sell / Short' }).click();
  await page.getByLabel('Size', { exact: true }).fill(String(value));
  await expect.poll(() => page.getByTestId('submit-order').isEnabled(), { timeout: 20_000 }).toBe(true);
  await page.getByTestId('submit-order').click();
  await confirmed(page, side);
  await page.getByTestId('positions').locator('tbody tr').first().waitFor();
}

/** Connects the test wallet, gives it money and deposits some. */
export async function settleIn(page: Page, world: World, dollars: number, deposit: number): Promise<string> {
  await page.getByRole('button', { name: 'Connect', exact: true }).click();
  await page.getByRole('button', { name: 'Test wallet' }).click();
  await expect.poll(() => page.getByRole('dialog').count()).toBe(0);
  await page.getByRole('banner').getByRole('button').last().click();
  const address = (await page.getByRole('dialog').locator('.font-mono').innerText()).trim();
  await world.fund(address, dollars);
  await page.getByRole('button', { name: 'Close', exact: true }).click();
  await page.getByRole('button', { name: 'Deposit to trade' }).click();
  await page.getByLabel('Dollars').fill(String(deposit));
  const submit = page.getByRole('button', { name: 'Deposit', exact: true });
  await expect.poll(() => submit.isEnabled(), { timeout: 15_000 }).toBe(true);
  await submit.click();
  await confirmed(page, 'Deposit');
  return address;
}
