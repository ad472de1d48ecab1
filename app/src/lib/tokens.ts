// Token accounts of wallets.
import {
  AccountRole,
  address,
  getAddressEncoder,
  getProgramDerivedAddress,
  type Address,
  type Instruction,
} from '@solana/kit';

/** The token program. */
export const TOKEN_PROGRAM = address('TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA');
const ASSOCIATED = address('ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL');
const SYSTEM = address('11111111111111111111111111111111');

const known = new Map<string, Promise<Address>>();

/** The address of an owner's associated token account. */
export function tokenAddress(owner: string, mint: string): Promise<Address> {
  const key = `${owner} ${mint}`;
  const found = known.get(key);
  if (found) return found;
  const encode = getAddressEncoder().encode;
  const derived = getProgramDerivedAddress({
    programAddress: ASSOCIATED,
    seeds: [encode(address(owner)), encode(TOKEN_PROGRAM), encode(address(mint))],
  }).then(([derivedAddress]) => derivedAddress);
  known.set(key, derived);
  return derived;
}

/** Creates an owner's associated token account where there is none. */
export async function createTokenAccount(owner: string, mint: string): Promise<Instruction> {
  return {
    programAddress: ASSOCIATED,
    accounts: [
      { address: address(owner), role: AccountRole.WRITABLE_SIGNER },
      { address: await tokenAddress(owner, mint), role: AccountRole.WRITABLE },
      { address: address(owner), role: AccountRole.READONLY },
      { address: address(mint), role: AccountRole.READONLY },
      { address: SYSTEM, role: AccountRole.READONLY },
      { address: TOKEN_PROGRAM, role: AccountRole.READONLY },
    ],
    // Idempotent: nothing happens where there is one.
    data: Uint8Array.of(1),
  };
}
