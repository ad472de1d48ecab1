// Wallets through the Wallet Standard: whatever announces itself and can sign for the network is offered.
import type { SolanaSignTransactionFeature } from '@solana/wallet-standard-features';
import { getWallets } from '@wallet-standard/app';
import type { Wallet, WalletAccount } from '@wallet-standard/base';
import type {
  StandardConnectFeature,
  StandardDisconnectFeature,
  StandardEventsFeature,
} from '@wallet-standard/features';

import { isLocal, type Cluster } from '../lib/cluster';
import { Trouble } from '../lib/problems';
import type { TransactionSigner } from '../lib/send';
import { burnerWallet } from './burner';

type Features = Partial<
  StandardConnectFeature & StandardDisconnectFeature & StandardEventsFeature & SolanaSignTransactionFeature
>;

const STORED = 'ballast.wallet';
const registry = getWallets();
let dropBurner: (() => void) | undefined;

/** Offers the burner wallet on local networks, and nowhere else. */
export function offerBurner(cluster: Cluster): void {
  if (isLocal(cluster)) dropBurner ??= registry.register(burnerWallet());
  else {
    dropBurner?.();
    dropBurner = undefined;
  }
}

/** Wallets that can sign for the network. A local network is signed for by any, since wallets rarely list it. */
export function usable(cluster: Cluster): readonly Wallet[] {
  const local = isLocal(cluster);
  return registry.get().filter((wallet) => {
    const features = wallet.features as Features;
    const solana = wallet.chains.some((chain) => chain === cluster.chain || (local && chain.startsWith('solana:')));
    return solana && 'solana:signTransaction' in features && 'standard:connect' in features;
  });
}

/** Calls the listener when wallets come or go. */
export function onWallets(listener: () => void): () => void {
  const stops = [registry.on('register', listener), registry.on('unregister', listener)];
  return () => stops.forEach((stop) => stop());
}

/** A wallet whose owner agreed to show an account. */
export interface Connected {
  wallet: Wallet;
  account: WalletAccount;
  signer: TransactionSigner;
}

/** Asks a wallet for an account. `silent` shows no dialog: for coming back. */
export async function connect(wallet: Wallet, cluster: Cluster, silent = false): Promise<Connected> {
  const features = wallet.features as Features;
  const { accounts } = await features['standard:connect']!.connect(silent ? { silent: true } : {});
  const account = accounts[0] ?? wallet.accounts[0];
  if (!account) throw new Trouble('Not connected', 'The wallet showed no account.');
  localStorage.setItem(STORED, wallet.name);
  return { wallet, account, signer: signerOf(wallet, account, cluster) };
}

/** Forgets the account. */
export async function disconnect({ wallet }: Connected): Promise<void> {
  localStorage.removeItem(STORED);
  await (wallet.features as Features)['standard:disconnect']?.disconnect();
}

/** Calls the listener with the account that the wallet shows after it changed; `null` when it shows none. */
export function onAccount({ wallet }: Connected, listener: (account: WalletAccount | null) => void): () => void {
  const events = (wallet.features as Features)['standard:events'];
  return events?.on('change', ({ accounts }) => accounts && listener(accounts[0] ?? null)) ?? (() => undefined);
}

/** The name of the wallet that was connected when the page was left. */
export function lastWallet(): string | null {
  return localStorage.getItem(STORED);
}

/** Signs with the wallet's account. */
export function signerOf(wallet: Wallet, account: WalletAccount, cluster: Cluster): TransactionSigner {
  const feature = (wallet.features as Features)['solana:signTransaction']!;
  return {
    address: account.address,
    async sign(transaction) {
      const [signed] = await feature.signTransaction({ account, transaction, chain: cluster.chain });
      if (!signed) throw new Trouble('Not signed', 'The wallet did not sign.');
      return signed.signedTransaction;
    },
  };
}
