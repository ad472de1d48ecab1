// The page with an indexer, and without the one that it was promised.
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { open, violations } from './visit';
import { World, freePort, picture } from './world';

let world: World;

beforeAll(async () => {
  world = await World.start();
});

afterAll(async () => {
  await world.stop();
});

describe('with an indexer', () => {
  let indexer: ChildProcess;
  let start: () => Promise<void>;
  let page: Page;
  const folder = mkdtempSync(join(tmpdir(), 'ballast-indexer-'));

  afterAll(() => {
    indexer.kill('SIGTERM');
    rmSync(folder, { recursive: true, force: true });
  });

  it('a visitor has candles of hours and days, and trades from before', async () => {
    const root = join(import.meta.dirname, '../..');
    const binary = process.env.BALLAST_INDEXER ?? join(process.env.CARGO_TARGET_DIR ?? join(root, 'target'), 'debug/ballast-indexer');
    if (!existsSync(binary)) throw new Error(`${binary} is missing: run \`cargo build --workspace --bins\``);
    const port = await freePort();
    const { rpc, ws, exchange } = world.facts;
    const settings = ['--rpc-url', rpc, '--ws-url', ws, '--exchange', exchange, '--database-url', `sqlite:${join(folder, 'db')}`, '--listen', `127.0.0.1:${port}`];
    const base = `http://127.0.0.1:${port}`;
    const caughtUp = async (): Promise<unknown> => fetch(`${base}/v1/status`).then(async (answer) => ((await answer.json()) as { caught_up: boolean }).caught_up, () => false);
    start = async () => {
      indexer = spawn(binary, settings, { stdio: ['ignore', 'ignore', 'inherit'] });
      await expect.poll(caughtUp, { timeout: 40_000, interval: 500 }).toBe(true);
    };
    await start();

    const complaints: string[] = [];
    page = await open(world, await world.visitor(), complaints, '', `&indexer=${encodeURIComponent(base)}`);
    await page.getByTestId('mark').waitFor();
    const answered = page.waitForResponse((response) => response.url().includes('interval=3600'));
    await page.getByRole('button', { name: '1h', exact: true }).click();
    const asked = (await answered).url();
    const count = async (): Promise<number> => ((await (await fetch(asked)).json()) as unknown[]).length;
    // The network is some seconds old: its first trade may still be to come.
    await expect.poll(count, { timeout: 30_000, interval: 500 }).toBeGreaterThan(0);
    await page.getByRole('img', { name: `${await count()} bars of 3600 seconds` }).waitFor();
    await page.getByRole('button', { name: 'Trades' }).click();
    await expect.poll(() => page.getByTestId('trades').locator('time').count()).toBeGreaterThan(0);
    await picture(page, 'indexed');
    expect(await page.getByText('The indexer does not answer').count()).toBe(0);
    expect(complaints).toEqual([]);
  });

  it('is told when it dies, and has it back when it does', async () => {
    const died = new Promise((resolve) => indexer.once('exit', resolve));
    indexer.kill('SIGTERM');
    await died;
    const banner = page.getByText('The indexer does not answer');
    await banner.waitFor({ timeout: 20_000 });
    await picture(page, 'indexer-died');
    // Trades go on, from the network.
    expect(await page.getByTestId('trades').locator('time').count()).toBeGreaterThan(0);
    await start();
    await banner.waitFor({ state: 'detached', timeout: 40_000 });
  }, 120_000);
});

describe('without the indexer that was promised', () => {
  it('a visitor is told, and has what the node has', async () => {
    const page = await open(world, await world.visitor(), [], '', `&indexer=${encodeURIComponent('http://127.0.0.1:9')}`);
    await page.getByText('The indexer does not answer').waitFor();
    await page.getByRole('button', { name: 'Trades' }).click();
    await expect.poll(() => page.getByTestId('trades').locator('time').count(), { timeout: 20_000 }).toBeGreaterThan(0);
    expect(await violations(page)).toEqual([]);
    await picture(page, 'indexer-down');
  });
});
