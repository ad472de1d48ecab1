// The few JSON-RPC calls that the page makes over HTTP.
import { decompress } from './zstd';

/** What the server said instead of a result. */
export class RpcError extends Error {
  constructor(
    readonly code: number,
    message: string,
    readonly data: unknown,
  ) {
    super(message);
    this.name = 'RpcError';
  }
}

/** The server did not answer. */
export class Unreachable extends Error {
  constructor(
    readonly url: string,
    cause: unknown,
  ) {
    super(`${url} does not answer`, { cause });
    this.name = 'Unreachable';
  }
}

interface Reply {
  id: number;
  result?: unknown;
  error?: { code: number; message: string; data?: unknown };
}

/** An account as the server gives it. */
export interface RawAccount {
  data: Uint8Array;
  owner: string;
  lamports: number;
}

/** An account on the wire. */
export interface WireAccount {
  data: [string, string];
  owner: string;
  lamports: number;
  /** Bytes of data. */
  space: number;
}

/** Bytes of base64, by the browser's own decoder where it has one. */
export function fromBase64(text: string): Uint8Array {
  const native = (Uint8Array as unknown as { fromBase64?: (text: string) => Uint8Array }).fromBase64;
  return native ? native.call(Uint8Array, text) : Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}

/** Base64 of bytes. */
export function toBase64(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}

/** How accounts are asked for: a book is mostly empty room, and so a thousandth of its size on the wire. */
export const ACCOUNT_OPTIONS = { encoding: 'base64+zstd', commitment: 'confirmed' } as const;

/** From the wire; the decoder has to be there. */
export function accountOf(wire: WireAccount): RawAccount {
  const [text, encoding] = wire.data;
  const bytes = fromBase64(text);
  return { data: encoding === 'base64+zstd' ? decompress(bytes, wire.space) : bytes, owner: wire.owner, lamports: wire.lamports };
}

/** A server. */
export class Rpc {
  private next = 1;

  constructor(
    readonly url: string,
    private readonly timeoutMs = 15_000,
  ) {}

  /** One call. */
  async call<T>(method: string, params: unknown[] = []): Promise<T> {
    const [reply] = await this.post([{ method, params }]);
    return resultOf<T>(reply);
  }

  /** Several calls in one request. */
  async batch<T>(calls: { method: string; params: unknown[] }[]): Promise<T[]> {
    if (calls.length === 0) return [];
    return (await this.post(calls)).map((reply) => resultOf<T>(reply));
  }

  /** Accounts in the order asked for; `null` where there is none. */
  async accounts(addresses: string[]): Promise<(RawAccount | null)[]> {
    const found: (RawAccount | null)[] = [];
    for (let at = 0; at < addresses.length; at += 100) {
      const part = addresses.slice(at, at + 100);
      const { value } = await this.call<{ value: (WireAccount | null)[] }>('getMultipleAccounts', [part, ACCOUNT_OPTIONS]);
      found.push(...value.map((wire) => (wire ? accountOf(wire) : null)));
    }
    return found;
  }

  /** All accounts of a program that fit the filters; of each no more than `length` bytes, where that is said. */
  async programAccounts(program: string, filters: readonly unknown[] = [], length?: number): Promise<{ pubkey: string; account: WireAccount }[]> {
    const dataSlice = length === undefined ? {} : { dataSlice: { offset: 0, length } };
    return this.call('getProgramAccounts', [program, { encoding: 'base64', commitment: 'confirmed', filters, ...dataSlice }]);
  }

  private async post(calls: { method: string; params: unknown[] }[]): Promise<Reply[]> {
    const requests = calls.map(({ method, params }) => ({ jsonrpc: '2.0', id: this.next++, method, params }));
    let answer: unknown;
    try {
      const response = await fetch(this.url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(requests.length === 1 ? requests[0] : requests),
        signal: AbortSignal.timeout(this.timeoutMs),
      });
      answer = await response.json();
    } catch (error) {
      throw new Unreachable(this.url, error);
    }
    const replies = (Array.isArray(answer) ? answer : [answer]) as Reply[];
    return requests.map(({ id }) => {
      const reply = replies.find((candidate) => candidate.id === id) ?? (requests.length === 1 ? replies[0] : undefined);
      // What a proxy says when it lets nothing through is JSON, too.
      if (!reply || !('result' in reply || reply.error)) throw new Unreachable(this.url, new Error('an answer is missing'));
      return reply;
    });
  }
}

function resultOf<T>(reply: Reply | undefined): T {
  if (reply?.error) throw new RpcError(reply.error.code, reply.error.message, reply.error.data);
  return reply?.result as T;
}
