// Address lookup tables, which let a transaction name an account by one byte instead of 32: with the one that the deployment keeps, an
// account in 16 markets trades in one transaction.
import { address, getAddressDecoder, type Address } from '@solana/kit';

import type { Rpc } from './rpc';

/** Tables by their address. */
export type Tables = Readonly<Record<Address, Address[]>>;

const PROGRAM = 'AddressLookupTab1e1111111111111111111111111';
/** A table's own bytes before its addresses. */
const HEADER = 56;
/** Where the exchange stands in the deployment's table: behind the two programs that instructions name. */
const EXCHANGE_AT = HEADER + 2 * 32;
const NEVER = 0xffff_ffff_ffff_ffffn;

/** The addresses in a table's data; none of one that is not to be used any more. */
export function tableAddresses(data: Uint8Array): Address[] {
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  if (data.length < HEADER || view.getUint32(0, true) !== 1 || view.getBigUint64(4, true) !== NEVER) return [];
  const count = Math.floor((data.length - HEADER) / 32);
  return Array.from({ length: count }, (_, at) => getAddressDecoder().decode(data, HEADER + 32 * at));
}

/** Reads tables, leaving out what is none. */
export async function loadTables(rpc: Rpc, keys: readonly string[]): Promise<Tables> {
  if (keys.length === 0) return {};
  const accounts = await rpc.accounts([...keys]);
  const tables = keys.flatMap((key, at) => {
    const found = accounts[at];
    const addresses = found?.owner === PROGRAM ? tableAddresses(found.data) : [];
    if (addresses.length === 0) console.warn(`${key} is no lookup table that can be used`);
    return addresses.length === 0 ? [] : [[address(key), addresses] as const];
  });
  return Object.fromEntries(tables);
}

/**
 * Looks for the exchange's tables, as the deployment makes them. Whoever made one, it stands for the addresses that are in it and
 * cannot be changed. Only where the node is asked nothing else by anybody: on public ones the question costs too much.
 */
export async function findTables(rpc: Rpc, exchange: string): Promise<string[]> {
  const filters = [{ memcmp: { offset: EXCHANGE_AT, bytes: exchange } }];
  const found = await rpc.programAccounts(PROGRAM, filters, 0);
  return found.map(({ pubkey }) => pubkey).sort();
}
