// Subscriptions over one WebSocket that comes back by itself: after a loss it connects again, renews every subscription, and
// tells each subscriber, who then fetches what it missed. Silence counts as a loss, since a dead connection says nothing.

/** Whether updates are coming in. */
export type Connection = 'connecting' | 'open' | 'lost';

interface Subscription {
  method: string;
  params: unknown[];
  /** The server's number for it, while the connection that gave it lives. */
  id: number | undefined;
  onMessage: (result: unknown) => void;
  /** Called whenever it listens (again): what happened before is not told. */
  onListening: () => void;
}

interface Message {
  id?: number;
  result?: unknown;
  error?: { message: string };
  params?: { subscription: number; result: unknown };
}

/** For how long a connection may be silent. Slots come several times a second. */
const SILENCE_MS = 10_000;
const FIRST_RETRY_MS = 250;
const LAST_RETRY_MS = 8_000;

/** For a subscriber that asks for the past when it begins anyway: does something whenever it listens again. */
export function again(action: () => void): () => void {
  let listened = false;
  return () => {
    if (listened) action();
    listened = true;
  };
}

/** A WebSocket with its subscriptions. */
export class Socket {
  private socket: WebSocket | undefined;
  private next = 1;
  private readonly subscriptions = new Set<Subscription>();
  private readonly requests = new Map<number, Subscription>();
  private readonly byId = new Map<number, Subscription>();
  private retries = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private watchdog: ReturnType<typeof setInterval> | undefined;
  private heardAt = 0;
  private closed = false;

  constructor(
    private readonly url: string,
    private readonly onConnection: (state: Connection) => void,
  ) {
    this.connect();
    this.subscribe('slotSubscribe', [], () => undefined);
  }

  /** Subscribes until the function that is returned is called. */
  subscribe(
    method: string,
    params: unknown[],
    onMessage: (result: unknown) => void,
    onListening: () => void = () => undefined,
  ): () => void {
    const subscription: Subscription = { method, params, id: undefined, onMessage, onListening };
    this.subscriptions.add(subscription);
    this.request(subscription);
    return () => {
      this.subscriptions.delete(subscription);
      if (subscription.id === undefined) return;
      this.byId.delete(subscription.id);
      this.send({ method: method.replace('Subscribe', 'Unsubscribe'), params: [subscription.id] });
    };
  }

  /** Ends it for good. */
  close(): void {
    this.closed = true;
    clearTimeout(this.timer);
    clearInterval(this.watchdog);
    this.socket?.close();
  }

  private connect(): void {
    this.onConnection(this.retries === 0 ? 'connecting' : 'lost');
    let socket: WebSocket;
    try {
      socket = new WebSocket(this.url);
    } catch {
      this.onConnection('lost');
      return;
    }
    this.socket = socket;
    this.heardAt = Date.now();
    socket.onopen = () => {
      this.retries = 0;
      this.onConnection('open');
      for (const subscription of this.subscriptions) this.request(subscription);
    };
    socket.onmessage = (event: MessageEvent<string>) => {
      this.heardAt = Date.now();
      this.receive(JSON.parse(event.data) as Message);
    };
    socket.onclose = () => this.retry(socket);
    clearInterval(this.watchdog);
    this.watchdog = setInterval(() => {
      if (Date.now() - this.heardAt > SILENCE_MS) {
        socket.close();
        this.retry(socket);
      }
    }, 1_000);
  }

  private retry(socket: WebSocket): void {
    if (this.closed || socket !== this.socket) return;
    this.socket = undefined;
    clearInterval(this.watchdog);
    this.requests.clear();
    this.byId.clear();
    for (const subscription of this.subscriptions) subscription.id = undefined;
    this.onConnection('lost');
    const wait = Math.min(FIRST_RETRY_MS * 2 ** this.retries++, LAST_RETRY_MS);
    this.timer = setTimeout(() => this.connect(), wait * (0.75 + Math.random() / 2));
  }

  private request(subscription: Subscription): void {
    const id = this.send({ method: subscription.method, params: subscription.params });
    if (id !== undefined) this.requests.set(id, subscription);
  }

  private send(body: { method: string; params: unknown[] }): number | undefined {
    if (this.socket?.readyState !== WebSocket.OPEN) return undefined;
    const id = this.next++;
    this.socket.send(JSON.stringify({ jsonrpc: '2.0', id, ...body }));
    return id;
  }

  private receive(message: Message): void {
    if (message.params) {
      this.byId.get(message.params.subscription)?.onMessage(message.params.result);
      return;
    }
    const subscription = message.id === undefined ? undefined : this.requests.get(message.id);
    if (message.id === undefined || !subscription) return;
    this.requests.delete(message.id);
    if (typeof message.result !== 'number') {
      console.warn(`${subscription.method}: ${message.error?.message ?? 'refused'}`);
      return;
    }
    if (!this.subscriptions.has(subscription)) {
      this.send({ method: subscription.method.replace('Subscribe', 'Unsubscribe'), params: [message.result] });
      return;
    }
    subscription.id = message.result;
    this.byId.set(message.result, subscription);
    subscription.onListening();
  }
}
