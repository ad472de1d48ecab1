// Test money on a local network, by the embedded node's own means.
import type { Rpc } from './rpc';
import { TOKEN_PROGRAM } from './tokens';

const LAMPORTS = 10_000_000_000;
/** What the faucet fills a wallet up to, in atoms: $100,000. */
export const FAUCET_ATOMS = 100_000_000_000n;

/** Gives the wallet SOL for fees and test dollars. */
export async function fillWallet(rpc: Rpc, owner: string, mint: string): Promise<void> {
  await rpc.call('requestAirdrop', [owner, LAMPORTS]);
  await rpc.call('surfnet_setTokenAccount', [owner, mint, { amount: Number(FAUCET_ATOMS) }, TOKEN_PROGRAM]);
}
