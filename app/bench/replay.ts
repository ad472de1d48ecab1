// A WebSocket server between a page and a node: everything passes through, and to whoever watches one account it also
// replays recorded states of that account, so many times a second.
import { WebSocket, WebSocketServer } from 'ws';

interface Request {
  id: number;
  method: string;
  params: unknown[];
}

interface Notice {
  id?: number;
  result?: unknown;
  params?: { subscription: number; result: { value: unknown } };
}

/** Records the states of an account, as the node notifies them, until there are `count` or the time is over. */
export async function record(url: string, account: string, count: number, forMs: number): Promise<unknown[]> {
  const socket = new WebSocket(url);
  const values: unknown[] = [];
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(resolve, forMs);
    socket.on('error', reject);
    socket.on('open', () => socket.send(subscription(account)));
    socket.on('message', (data: Buffer) => {
      const { params } = JSON.parse(data.toString()) as Notice;
      if (params) values.push(params.result.value);
      if (values.length < count) return;
      clearTimeout(timer);
      resolve();
    });
  });
  socket.close();
  return values;
}

function subscription(account: string): string {
  const options = { encoding: 'base64+zstd', commitment: 'confirmed' };
  return JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'accountSubscribe', params: [account, options] });
}

/** The server. */
export class Replay {
  private readonly server: WebSocketServer;
  /** Open connections that watch the account, with the number of their subscription. */
  private readonly watchers = new Map<WebSocket, number>();
  private timer: ReturnType<typeof setTimeout> | undefined;
  /** Notifications sent. */
  sent = 0;

  constructor(
    upstream: string,
    private readonly account: string,
    private readonly values: readonly unknown[],
  ) {
    this.server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    this.server.on('connection', (client) => this.serve(client, upstream));
  }

  /** Its address. */
  url(): string {
    const address = this.server.address();
    if (address === null || typeof address === 'string') throw new Error('no address');
    return `ws://127.0.0.1:${address.port}`;
  }

  /** Replays so many states a second from now on; 0 ends it. */
  play(perSecond: number): void {
    clearTimeout(this.timer);
    if (perSecond === 0) return;
    const texts = new Map<string, string>();
    let due = performance.now();
    let step = 0;
    const next = (): void => {
      // Back and forth, so that each is followed by one that differs as the real ones did.
      const at = step % (2 * this.values.length - 2);
      const index = at < this.values.length ? at : 2 * this.values.length - 2 - at;
      for (const [client, number] of this.watchers) {
        const key = `${number}/${index}`;
        const text = texts.get(key) ?? JSON.stringify({
          jsonrpc: '2.0',
          method: 'accountNotification',
          params: { subscription: number, result: { context: { slot: step }, value: this.values[index] } },
        });
        texts.set(key, text);
        client.send(text);
        this.sent++;
      }
      step++;
      // What a busy machine held up is not made up for: that would be more than so many a second.
      due = Math.max(due + 1_000 / perSecond, performance.now());
      this.timer = setTimeout(next, due - performance.now());
    };
    next();
  }

  /** Ends it. */
  close(): void {
    clearTimeout(this.timer);
    this.server.clients.forEach((client) => client.terminate());
    this.server.close();
  }

  private serve(client: WebSocket, upstream: string): void {
    const node = new WebSocket(upstream);
    const waiting: string[] = [];
    const asked = new Set<number>();
    client.on('message', (data: Buffer) => {
      const text = data.toString();
      const { id, method, params } = JSON.parse(text) as Request;
      if (method === 'accountSubscribe' && params[0] === this.account) asked.add(id);
      if (node.readyState === WebSocket.OPEN) node.send(text);
      else waiting.push(text);
    });
    node.on('open', () => waiting.splice(0).forEach((text) => node.send(text)));
    node.on('message', (data: Buffer) => {
      const text = data.toString();
      const { id, result, params } = JSON.parse(text) as Notice;
      if (id !== undefined && asked.delete(id) && typeof result === 'number') this.watchers.set(client, result);
      // The account's own states would be among the replayed ones.
      if (params && params.subscription === this.watchers.get(client)) return;
      client.send(text);
    });
    const end = (): void => {
      this.watchers.delete(client);
      node.close();
      client.close();
    };
    client.on('close', end);
    node.on('close', end);
    node.on('error', end);
  }
}
