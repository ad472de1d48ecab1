// What the tests in a browser run on: the compiled program on the embedded node with prices, a market maker and traders; the
// built page behind a server; Debian's Chromium.
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';
import { preview, type PreviewServer } from 'vite';

const app = join(import.meta.dirname, '..');
const root = join(app, '..');

/** How Chromium is started. */
export const CHROMIUM = {
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
};

/** What the demo prints. */
export interface Facts {
  rpc: string;
  ws: string;
  exchange: string;
  mint: string;
}

/** A running network with its page. */
export class World {
  private constructor(
    private readonly demo: ChildProcess,
    private readonly server: PreviewServer,
    private readonly browser: Browser,
    readonly facts: Facts,
    readonly url: string,
  ) {}

  /** Starts all of it; `more` are further arguments of the demo. */
  static async start(more: readonly string[] = []): Promise<World> {
    const target = process.env.CARGO_TARGET_DIR ?? join(root, 'target');
    const binary = process.env.BALLAST_DEMO ?? join(target, 'debug/ballast-demo');
    if (!existsSync(binary)) throw new Error(`${binary} is missing: run \`cargo build --workspace --bins\``);
    const demo = spawn(binary, ['--rpc-port', '0', '--ws-port', '0', ...more], { cwd: root, stdio: ['pipe', 'pipe', 'inherit'] });
    const facts = await firstLine(demo);
    const server = await preview({ root: app, logLevel: 'error', preview: { port: 0, host: '127.0.0.1', strictPort: false } });
    const address = server.httpServer.address();
    if (address === null || typeof address === 'string') throw new Error('the page has no address');
    const browser = await chromium.launch(CHROMIUM);
    return new World(demo, server, browser, facts, `http://127.0.0.1:${address.port}`);
  }

  /** Stops all of it. */
  async stop(): Promise<void> {
    await this.browser.close();
    await this.server.close();
    this.demo.kill('SIGTERM');
    await new Promise((resolve) => this.demo.once('exit', resolve));
  }

  /** Moves a market's price at once: `AVAX -30` is a fall by so many per cent. */
  shock(market: string, percent: number): void {
    this.demo.stdin?.write(`${market} ${percent}\n`);
  }

  /** A fresh browser profile. */
  async visitor(options: Parameters<Browser['newContext']>[0] = {}): Promise<BrowserContext> {
    return this.browser.newContext({ viewport: { width: 1440, height: 900 }, colorScheme: 'dark', ...options });
  }

  /** The page at a route, on this network; `query` is added to the address, `socket` stands between page and node. */
  address(route = '', query = '', socket = this.facts.ws): string {
    const { rpc } = this.facts;
    return `${this.url}/?rpc=${encodeURIComponent(rpc)}&ws=${encodeURIComponent(socket)}${query}${route}`;
  }

  /** One call to the node. */
  async call<T>(method: string, params: unknown[]): Promise<T> {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });
    const response = await fetch(this.facts.rpc, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
    const { result, error } = (await response.json()) as { result: T; error?: { message: string } };
    if (error) throw new Error(`${method}: ${error.message}`);
    return result;
  }

  /** Gives a wallet SOL and dollars. */
  async fund(owner: string, dollars: number): Promise<void> {
    await this.call('requestAirdrop', [owner, 10_000_000_000]);
    const token = 'TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA';
    await this.call('surfnet_setTokenAccount', [owner, this.facts.mint, { amount: dollars * 1_000_000 }, token]);
  }
}

/** A port that is free now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function firstLine(demo: ChildProcess): Promise<Facts> {
  if (!demo.stdout) throw new Error('the demo has no output');
  const lines = createInterface({ input: demo.stdout });
  return new Promise((resolve, reject) => {
    lines.once('line', (line) => resolve(JSON.parse(line) as Facts));
    demo.once('exit', (code) => reject(new Error(`the demo ended with ${code ?? 'a signal'}`)));
  });
}

/** Keeps a picture, to be looked at. */
export async function picture(page: Page, name: string): Promise<void> {
  mkdirSync(join(app, 'screenshots'), { recursive: true });
  await page.screenshot({ path: join(app, 'screenshots', `${name}.png`) });
}
