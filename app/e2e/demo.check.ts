// Looks at a running demo as a person would: is all of it healthy, is there trade, and is somebody's forced reduction shown and
// explained? `cargo xtask demo --check` starts the demo and runs this.
import { chromium, type Browser, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { CHROMIUM, type Facts, picture } from './world';

interface DemoFacts extends Facts {
  keepers: string[];
  indexer: string;
  page: string;
}

const facts = JSON.parse(process.env.BALLAST_DEMO_FACTS ?? 'null') as DemoFacts | null;
if (facts === null) throw new Error('run `cargo xtask demo --check`, which starts the demo and says where it is');
/** Long enough for the recorded prices to fall by what liquidates a leverage of 28. */
const PATIENCE = { timeout: 300_000, interval: 1_000 };

/** A server's answer, as text; what went wrong, if it cannot be reached. */
async function answer(url: string): Promise<string> {
  try {
    const response = await fetch(url);
    return `${response.status} ${(await response.text()).trim()}`;
  } catch (error) {
    return String(error);
  }
}

let browser: Browser;
let page: Page;

beforeAll(async () => {
  browser = await chromium.launch(CHROMIUM);
  page = await browser.newPage({ viewport: { width: 1440, height: 900 }, colorScheme: 'dark' });
});

afterAll(async () => {
  await browser.close();
});

describe('the demo', () => {
  it.each(facts.keepers)('has a healthy keeper at %s', async (keeper) => {
    await expect.poll(() => answer(`${keeper}/health`), PATIENCE).toBe('200 ok');
    await expect.poll(() => answer(`${keeper}/ready`), PATIENCE).toBe('200 ready');
  });

  it('has an indexer that has caught up', async () => {
    await expect.poll(() => answer(`${facts.indexer}/status`), PATIENCE).toMatch(/^200 .*"caught_up":true/);
  });

  it('shows a living market and its trades', async () => {
    await page.goto(facts.page);
    const mark = page.getByTestId('mark');
    await mark.waitFor();
    const first = await mark.innerText();
    await expect.poll(() => mark.innerText(), PATIENCE).not.toBe(first);
    await page.getByRole('button', { name: 'Trades' }).click();
    await expect.poll(() => page.getByTestId('trades').locator('time').count(), PATIENCE).toBeGreaterThan(0);
  });

  it('shows a forced reduction, and its numbers agree with what they are recomputed to be', async () => {
    await page.goto(`${facts.page}#/why`);
    const why = page.getByTestId('forced').getByRole('link', { name: /^Why/ });
    await expect.poll(() => why.count(), PATIENCE).toBeGreaterThan(0);
    await why.last().click();
    const overall = page.getByTestId('overall');
    await overall.waitFor();
    expect(await overall.getAttribute('data-good'), await overall.innerText()).toBe('true');
    await picture(page, 'demo-why');
    // For the README: a market in motion.
    await page.goto(`${facts.page}#/trade/AVAX`);
    await page.getByTestId('book').getByRole('button').first().waitFor();
    await picture(page, 'demo-trade');
  });
});
