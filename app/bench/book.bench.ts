// The order book at 60 updates a second: real states of a real book, recorded from the local network, come over a WebSocket
// as account notifications, through the page's whole way: JSON, base64, WebAssembly, React, pixels. Counted are frames
// (requestAnimationFrame), long tasks, and how many frames showed another book.
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Page } from 'playwright-core';

import { World } from '../e2e/world';
import { open, settleIn } from '../e2e/visit';
import { Replay, record } from './replay';

/** Updates a second. */
const RATE = Number(process.env.RATE ?? 60);
const SECONDS = Number(process.env.SECONDS ?? 20);
/** A frame of 60 a second that came later than one and a half is dropped. */
const LATE_MS = (1_000 / 60) * 1.5;

let world: World;
let replay: Replay;
let book: string;

interface Counted {
  frames: number;
  late: number;
  worst: number;
  longTasks: number;
  longest: number;
  shown: number;
}

/** Counts for so many seconds in the page. */
function count(page: Page, seconds: number): Promise<Counted> {
  return page.evaluate(
    ({ ms, lateMs }) =>
      new Promise<Counted>((resolve) => {
        const counted = { frames: 0, late: 0, worst: 0, longTasks: 0, longest: 0, shown: 0 };
        let changed = false;
        const watched = document.querySelector('[data-testid="book"]')!;
        const mutations = new MutationObserver(() => (changed = true));
        mutations.observe(watched, { subtree: true, childList: true, characterData: true, attributes: true });
        const tasks = new PerformanceObserver((list) => {
          for (const { duration } of list.getEntries()) {
            counted.longTasks++;
            counted.longest = Math.max(counted.longest, duration);
          }
        });
        tasks.observe({ entryTypes: ['longtask'] });
        let [started, before] = [0, 0];
        const frame = (now: number): void => {
          if (started === 0) started = now;
          else {
            counted.frames++;
            if (now - before > lateMs) counted.late += Math.round((now - before) / (1_000 / 60)) - 1;
            counted.worst = Math.max(counted.worst, now - before);
            if (changed) counted.shown++;
          }
          changed = false;
          before = now;
          if (now - started < ms) requestAnimationFrame(frame);
          else {
            mutations.disconnect();
            tasks.disconnect();
            resolve(counted);
          }
        };
        requestAnimationFrame(frame);
      }),
    { ms: seconds * 1_000, lateMs: LATE_MS },
  );
}

/** Where the time goes, by function: what to mend. */
async function profiled<T>(page: Page, work: () => Promise<T>): Promise<T> {
  if (!process.env.PROFILE) return work();
  const session = await page.context().newCDPSession(page);
  await session.send('Profiler.enable');
  await session.send('Profiler.start');
  const result = await work();
  const { profile } = await session.send('Profiler.stop');
  const self = new Map<number, number>();
  profile.samples?.forEach((id, at) => self.set(id, (self.get(id) ?? 0) + (profile.timeDeltas?.[at] ?? 0) / 1_000));
  const names = new Map<string, number>();
  for (const { id, callFrame } of profile.nodes) {
    const name = `${callFrame.functionName || '(anonymous)'} ${callFrame.url.split('/').at(-1) ?? ''}:${callFrame.lineNumber}:${callFrame.columnNumber}`;
    names.set(name, (names.get(name) ?? 0) + (self.get(id) ?? 0));
  }
  const most = [...names].sort((a, b) => b[1] - a[1]).slice(0, 25);
  console.log(most.map(([name, ms]) => `${ms.toFixed(0).padStart(7)} ms  ${name}`).join('\n'));
  return result;
}

function report(name: string, { frames, late, worst, longTasks, longest, shown }: Counted): void {
  console.log(
    `${name}: ${frames} frames in ${SECONDS} s, ${late} dropped, longest ${worst.toFixed(1)} ms; ${longTasks} long tasks, longest ${longest.toFixed(0)} ms; ${shown} frames showed another book`,
  );
}

beforeAll(async () => {
  world = await World.start();
  // The page's first market, by asking the page which account its book is.
  const visitor = await world.visitor();
  const page = await open(world, visitor, []);
  const subscribed: string[] = [];
  page.on('websocket', (socket) => socket.on('framesent', ({ payload }) => subscribed.push(String(payload))));
  await page.reload();
  await page.getByTestId('mark').waitFor();
  await page.waitForTimeout(1_000);
  await visitor.close();
  const watched = subscribed.flatMap((text) => {
    const { method, params } = JSON.parse(text) as { method: string; params: [string] };
    return method === 'accountSubscribe' ? [params[0]] : [];
  });
  const infos = await world.call<{ value: { space: number }[] }>('getMultipleAccounts', [watched, { encoding: 'base64', dataSlice: { offset: 0, length: 0 } }]);
  const sizes = infos.value.map(({ space }, at): [string, number] => [watched[at]!, space]).sort((a, b) => a[1] - b[1]);
  // Exchange and markets are small; of the two large ones the ranking index is the larger.
  const [address, bytes] = sizes.at(-2)!;
  book = address;
  const states = await record(world.facts.ws, book, 120, 25_000);
  console.log(`${states.length} states of a book of ${bytes} bytes were recorded`);
  expect(states.length).toBeGreaterThan(5);
  replay = new Replay(world.facts.ws, book, states);
});

afterAll(async () => {
  replay.close();
  await world.stop();
});

it('comes to a visitor, and to a trader with a ticket filled in', async () => {
  const complaints: string[] = [];
  const visitor = await world.visitor();
  const page = await open(world, visitor, complaints, '', '', replay.url());
  await page.getByTestId('mark').waitFor();
  await page.waitForTimeout(2_000);
  report('nothing replayed', await count(page, SECONDS));
  replay.play(RATE);
  await page.waitForTimeout(2_000);
  const before = replay.sent;
  const alone = await profiled(page, () => count(page, SECONDS));
  report(`visitor, ${((replay.sent - before) / SECONDS).toFixed(1)} updates a second`, alone);

  replay.play(0);
  await settleIn(page, world, 20_000, 10_000);
  await page.getByLabel('Size', { exact: true }).fill('12000');
  await page.getByTestId('submit-order').click();
  await page.getByTestId('positions').waitFor({ timeout: 20_000 });
  await page.getByLabel('Size', { exact: true }).fill('5000');
  await page.getByTestId('preview').waitFor();
  replay.play(RATE);
  await page.waitForTimeout(2_000);
  const trader = await profiled(page, () => count(page, SECONDS));
  report('trader', trader);
  await page.getByRole('group', { name: 'Part of the most possible' }).getByRole('button', { name: '50 %' }).click();
  report('trader who orders a part of the most possible', await profiled(page, () => count(page, SECONDS)));
  replay.play(0);
  expect(alone.shown).toBeGreaterThan(0);
  await visitor.close();
});
