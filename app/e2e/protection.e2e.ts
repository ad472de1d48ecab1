// Everything beyond buying and selling at once: brackets, stops, pegs, lives of orders, isolated accounts, ladders, margin, and
// lines that are dragged. Against the compiled program.
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { confirmed, open, settleIn, violations } from './visit';
import { World, picture } from './world';

let world: World;
let page: Page;
const complaints: string[] = [];

const number = (text: string): number => Number(text.replaceAll(',', ''));
const mark = async (): Promise<number> => number(await page.getByTestId('mark').innerText());
/** A price in whole dollars, so far from the mark. */
const beyond = async (part: number): Promise<string> => String(Math.round((await mark()) * (1 + part)));
const tab = (name: string) => page.getByRole('group', { name: 'What to see of the account' }).getByRole('button', { name: new RegExp(`^${name}`) });
const kind = (name: string) => page.getByRole('group', { name: 'Order type' }).getByRole('button', { name, exact: true });
const triggers = () => page.getByTestId('triggers').locator('tbody tr');
const positions = () => page.getByTestId('positions').locator('tbody tr');
const short = () => positions().filter({ hasText: 'short' });
const submit = () => page.getByTestId('submit-order').click();

beforeAll(async () => {
  world = await World.start();
  page = await open(world, await world.visitor(), complaints);
  await page.getByTestId('mark').waitFor();
});

afterEach(async ({ task }) => {
  if (task.result?.state === 'fail') await picture(page, 'failure');
});

afterAll(async () => {
  await world.stop();
});

describe('a position', () => {
  it('needs a wallet with money in an account', async () => {
    await settleIn(page, world, 20_000, 10_000);
  });

  it('is opened with a take-profit and a stop in one transaction', async () => {
    await page.getByLabel('Size', { exact: true }).fill('12000');
    await page.getByLabel('Take-profit and stop').check();
    await page.getByLabel('Take profit').fill(await beyond(0.03));
    await page.getByLabel('Stop loss').fill(await beyond(0.02));
    await page.getByText('A stop of a long has to be below').waitFor();
    expect(await page.getByTestId('submit-order').isDisabled()).toBe(true);
    await page.getByLabel('Stop loss').fill(await beyond(-0.02));
    await page.getByTestId('preview').waitFor();
    await picture(page, 'ticket-bracket');
    await submit();
    await confirmed(page, 'Buy');
    await positions().first().waitFor();
    await tab('Protection').click();
    await expect.poll(() => triggers().count()).toBe(2);
    expect(await triggers().allInnerTexts()).toEqual([expect.stringContaining('one cancels other'), expect.stringContaining('one cancels other')]);
    await page.getByLabel('Take-profit and stop').uncheck();
  });

  it('has lines in the chart, and a stop that is dragged asks before it moves', async () => {
    const handle = page.getByTestId('chart-handle').filter({ hasText: 'Stop' });
    await handle.waitFor();
    const before = await handle.innerText();
    const box = (await handle.boundingBox())!;
    await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width / 2, box.y - 20, { steps: 5 });
    await picture(page, 'dragging');
    await page.mouse.up();
    const moved = number((await page.getByTestId('moved').innerText()).split('→')[1]!.trim());
    expect(moved).toBeGreaterThan(number(/[\d,.]+/.exec(before)![0]));
    await picture(page, 'dragged');
    await page.getByRole('button', { name: 'Move it there' }).click();
    await confirmed(page, 'Move the stop');
    await expect.poll(async () => number(/[\d,.]+/.exec(await handle.innerText())![0])).toBe(moved);
    await picture(page, 'trade-protected');
  });

  it('has its take-profit edited with the keyboard alone', async () => {
    const handle = page.getByTestId('chart-handle').filter({ hasText: 'Take-profit' });
    await handle.focus();
    await page.keyboard.press('Enter');
    const at = await beyond(0.025);
    await page.getByLabel('Take profit at').fill(at);
    await page.keyboard.press('Enter');
    await confirmed(page, 'Move the take-profit');
    await expect.poll(() => triggers().filter({ hasText: number(at).toLocaleString('en-US') }).count()).toBe(1);
  });

  it('loses one of the pair when that is cancelled, and keeps the other', async () => {
    await page.getByRole('button', { name: /^Cancel the take-profit/ }).click();
    await confirmed(page, 'Cancel the take-profit');
    await expect.poll(() => triggers().count()).toBe(1);
    expect(await triggers().first().innerText()).toContain('Stop');
  });

  it('gets a trailing stop, a ladder, and more margin', async () => {
    await tab('Positions').click();
    await page.getByRole('button', { name: 'Protect', exact: true }).click();
    await page.getByRole('button', { name: 'Trailing stop' }).click();
    await page.getByLabel('Stop: behind by').fill('3');
    await picture(page, 'protect');
    await page.getByRole('button', { name: 'Place', exact: true }).click();
    await confirmed(page, 'Place a trailing stop');
    await tab('Protection').click();
    await triggers().filter({ hasText: 'Trailing stop 3.00 %' }).waitFor();

    await page.getByRole('button', { name: 'Set a ladder' }).click();
    await page.getByLabel('At a margin ratio of').fill('150');
    await page.getByLabel('reduce by').first().fill('25');
    await picture(page, 'ladder');
    await page.getByRole('dialog').getByRole('button', { name: 'Set the ladder' }).click();
    await confirmed(page, 'Set the ladder');
    await page.getByTestId('ladder').getByText('at 150 % reduce 25 %').waitFor();

    await tab('Positions').click();
    await page.getByRole('button', { name: 'Margin', exact: true }).click();
    await page.getByLabel('Amount').fill('500');
    await picture(page, 'margin');
    await page.getByRole('button', { name: 'Add margin' }).click();
    await confirmed(page, 'Add 500.00 from the wallet');
  });

  it('gets a stop from the ticket, for a part of it', async () => {
    await kind('Stop').click();
    await page.getByRole('button', { name: 'Sell / Short' }).click();
    await page.getByLabel('Fires at').fill(await beyond(-0.03));
    await page.getByLabel('Unit of the size').selectOption('percent');
    await page.getByLabel('Size', { exact: true }).fill('50');
    await submit();
    await confirmed(page, 'Place a stop');
    await tab('Protection').click();
    await expect.poll(() => triggers().count()).toBe(3);
    await picture(page, 'protection');
    await page.getByRole('button', { name: 'cancel all' }).click();
    await confirmed(page, 'Cancel all triggers');
    await page.getByText('No take-profits or stops.').waitFor();
  });
});

describe('resting orders', () => {
  const orders = () => page.getByTestId('orders').locator('tbody tr');

  it('follow the mark, slide behind the best, and end at a time', async () => {
    await tab('Orders').click();
    await kind('Pegged').click();
    await page.getByRole('button', { name: 'Buy / Long' }).click();
    await page.getByLabel('From the mark').fill('-500');
    await page.getByLabel('Unit of the size').selectOption('usd');
    await page.getByLabel('Size', { exact: true }).fill('1000');
    await page.getByTestId('preview-rests').waitFor();
    await submit();
    await confirmed(page, 'Buy');
    await orders().filter({ hasText: 'mark −500' }).waitFor();

    await kind('Limit').click();
    await page.getByLabel('Price (USD)').fill(await beyond(0.002));
    await page.getByLabel('Size', { exact: true }).fill('1000');
    await page.getByLabel('Time in force').selectOption('gtt');
    await page.getByLabel('Minutes').fill('30');
    await page.getByLabel('Post only').selectOption('reject');
    await page.getByRole('alert').filter({ hasText: /match/i }).waitFor();
    await page.getByLabel('Post only').selectOption('slide');
    const stands = number(/at ([\d,.]+)/.exec(await page.getByTestId('preview-rests').innerText())![1]!);
    expect(stands).toBeLessThan((await mark()) * 1.002);
    await picture(page, 'ticket-slide');
    await submit();
    await confirmed(page, 'Buy');

    // At the best price somebody soon sells to it; further away it stays.
    await page.getByLabel('Price (USD)').fill(await beyond(-0.01));
    await page.getByLabel('Size', { exact: true }).fill('1000');
    await page.getByLabel('Post only').selectOption('reject');
    await submit();
    await confirmed(page, 'Buy');
    await expect.poll(() => orders().filter({ hasNotText: 'never' }).count()).toBeGreaterThan(0);
  });

  it('are replaced, and cancelled by side', async () => {
    await orders().filter({ hasNotText: 'never' }).first().getByRole('button', { name: /^Replace/ }).click();
    await page.getByRole('dialog').getByLabel('Size').fill('0.005');
    await page.getByText('keeps its place').waitFor();
    await picture(page, 'replace');
    await page.getByRole('button', { name: 'Replace the order', exact: true }).click();
    await confirmed(page, 'Replace by');
    await expect.poll(() => orders().locator('td:nth-child(4)').allInnerTexts()).toContain('0.005');
    expect(await page.getByRole('button', { name: 'Cancel asks' }).isDisabled()).toBe(true);
    await picture(page, 'orders');
    await page.getByRole('button', { name: 'Cancel bids' }).click();
    await confirmed(page, 'Cancel bids');
    await page.getByText('No resting orders.').waitFor();
    await page.getByLabel('Post only').selectOption('take');
  });

  it('are filled wholly or not at all where that is asked for', async () => {
    await page.getByLabel('Time in force').selectOption('fok');
    await page.getByLabel('Price (USD)').fill(await beyond(-0.01));
    await page.getByLabel('Size', { exact: true }).fill('1000');
    await page.getByRole('alert').filter({ hasText: 'The book does not hold the whole size' }).waitFor();
    expect(await page.getByTestId('submit-order').isDisabled()).toBe(true);
  });
});

describe('an isolated position', () => {
  it('gets an account, its margin and its order in one transaction, with a preview of its own', async () => {
    await kind('Market').click();
    await page.getByRole('button', { name: 'Sell / Short' }).click();
    await page.getByLabel('Isolated').check();
    await page.getByRole('slider').fill('4');
    await page.getByLabel('Size', { exact: true }).fill('4000');
    await page.getByText('Margin moved there: 1,00').waitFor();
    await page.getByTestId('preview').waitFor();
    const foreseen = await page.getByTestId('preview-liquidation').innerText();
    await picture(page, 'ticket-isolated');
    await submit();
    await confirmed(page, /Sell .*isolated/);
    await tab('Positions').click();
    // Beside the long of the first account, which is still the one that is traded with.
    await short().filter({ hasText: 'account 2' }).waitFor();
    expect(await positions().filter({ hasText: 'long' }).filter({ hasText: 'account 1' }).count()).toBe(1);
    const pressed = page.getByRole('group', { name: 'Margin accounts' }).getByRole('button', { pressed: true });
    expect(await pressed.innerText()).toMatch(/^account 1/i);
    await page.getByLabel('Isolated').uncheck();
    expect(await page.getByTestId('goes-to').innerText()).toBe('Goes to account 1.');
    await picture(page, 'two-accounts');
    const shown = await short().locator('td').nth(7).innerText();
    // The fill came a moment later than the preview, from a book that moves.
    expect(Math.abs(number(shown) / number(foreseen.split('→').at(-1)!.trim()) - 1)).toBeLessThan(0.005);
  });

  it('gives margin back to the other account', async () => {
    await short().getByRole('button', { name: 'Close' }).click();
    await page.getByRole('button', { name: 'Close at the market' }).click();
    await confirmed(page, 'Close');
    await expect.poll(() => short().count()).toBe(0);
    expect(await positions().filter({ hasText: 'long' }).count()).toBe(1);
    await page.getByRole('navigation').getByRole('link', { name: 'Account', exact: true }).click();
    await page.getByText('Without a position: account 2.').waitFor();
    await picture(page, 'accounts');
    expect(await violations(page)).toEqual([]);
    await page.getByRole('button', { name: /^Move .* back to account 1$/ }).click();
    await confirmed(page, 'back to account 1');
    await page.getByText('Without a position').waitFor({ state: 'detached' });
    await page.getByRole('navigation').getByRole('link', { name: 'Trade', exact: true }).click();
    await page.getByTestId('mark').waitFor();
  });
});

describe('the page', () => {
  it('draws the depth of the book', async () => {
    await page.getByRole('button', { name: 'Depth' }).click();
    await page.getByTestId('depth').waitFor();
    await picture(page, 'depth');
    expect(await violations(page)).toEqual([]);
    await page.getByRole('button', { name: 'Price', exact: true }).click();
  });

  it('meets no accessibility violations in its dialogs, dark or light', async () => {
    await page.getByRole('button', { name: /^Switch to light/ }).click();
    for (const shown of ['Protection', 'Orders', 'Account'] as const) {
      await tab(shown).click();
      expect(await violations(page)).toEqual([]);
    }
    await picture(page, 'account-light');
    await tab('Protection').click();
    await page.getByRole('button', { name: 'Set a ladder' }).click();
    expect(await violations(page)).toEqual([]);
    await page.getByRole('button', { name: 'Close', exact: true }).click();
  });

  it('meets no errors', () => {
    expect(complaints).toEqual([]);
  });
});
