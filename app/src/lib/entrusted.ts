// The accounts of others that a wallet may trade for.
import { getBase58Decoder } from '@solana/kit';

import { getMarginAccountDiscriminatorBytes } from '../generated';
import { marginOffsets } from '../wasm/ballast_wasm';
import type { Chain } from './chain';
import { accountOf } from './rpc';

/** An account whose owner has made the wallet its delegate. */
export interface Entrusted {
  address: string;
  owner: string;
  number: number;
}

const base58 = (bytes: Uint8Array): string => getBase58Decoder().decode(bytes);

/** Asks the node for them; it filters by the bytes of the accounts. */
export async function findEntrusted(chain: Chain, delegate: string): Promise<Entrusted[]> {
  const exchange = chain.exchange();
  if (!exchange) throw new Error('the exchange is not here yet');
  const at = marginOffsets();
  const filters = [
    { memcmp: { offset: 0, bytes: base58(new Uint8Array(getMarginAccountDiscriminatorBytes())) } },
    { memcmp: { offset: at.exchange, bytes: exchange.address } },
    { memcmp: { offset: at.delegate, bytes: delegate } },
  ];
  const found = await chain.rpc.programAccounts(chain.program, filters, at.delegate);
  const entrusted = found.map(({ pubkey, account }): Entrusted => {
    const { data } = accountOf(account);
    const number = new DataView(data.buffer, data.byteOffset).getUint16(at.number, true);
    return { address: pubkey, owner: base58(data.subarray(at.owner, at.owner + 32)), number };
  });
  return entrusted
    .filter(({ owner }) => owner !== delegate)
    .sort((a, b) => a.owner.localeCompare(b.owner) || a.number - b.number);
}
