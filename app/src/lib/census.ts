// All accounts of the exchange at one moment, in a desk of their own: for questions about everybody. They come in one answer of
// the node, so that positions and ranking indexes belong together.
import { Desk, accountKind } from '../wasm/ballast_wasm';
import type { Chain } from './chain';
import { accountOf } from './rpc';

/** Everybody at one moment. */
export interface Census {
  desk: Desk;
  /** Margin accounts. */
  accounts: number;
  /** Atoms in the insurance vault. */
  vault: bigint;
  /** Unix seconds of the chain. */
  time: number;
}

/** Where the amount is in a token account. */
const AMOUNT_AT = 64;

/** What a token account holds; nothing while it does not exist. */
export async function tokenBalance(chain: Chain, address: string): Promise<bigint> {
  const [account] = await chain.rpc.accounts([address]);
  if (!account || account.data.length < AMOUNT_AT + 8) return 0n;
  return new DataView(account.data.buffer, account.data.byteOffset).getBigUint64(AMOUNT_AT, true);
}

/** Fetches everybody. */
export async function takeCensus(chain: Chain): Promise<Census> {
  const exchange = chain.exchange();
  if (!exchange) throw new Error('the exchange is not here yet');
  const [wire, vault] = await Promise.all([
    chain.rpc.programAccounts(chain.program),
    tokenBalance(chain, exchange.insurance),
  ]);
  const all = wire.map(({ pubkey, account }) => ({ pubkey, data: accountOf(account).data }));
  const own = all.find(({ pubkey }) => pubkey === exchange.address);
  if (!own) throw new Error('the node does not give the exchange');
  const desk = new Desk(exchange.address, own.data);
  // Markets first: slabs belong to them, and accounts to slabs.
  const order = ['Market', 'Book', 'Ranks', 'MarginAccount'];
  let accounts = 0;
  for (const kind of order) {
    for (const { pubkey, data } of all) {
      if (accountKind(data) === kind && desk.put(pubkey, data) === 'account') accounts++;
    }
  }
  const time = chain.now();
  desk.setTime(BigInt(time));
  return { desk, accounts, vault, time };
}
