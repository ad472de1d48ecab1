// A wallet inside the page for local networks: a key in the browser's storage that signs without asking. It is a real
// Wallet Standard wallet, so the page uses it by the same way as any other.
import {
  createKeyPairFromPrivateKeyBytes,
  getAddressFromPublicKey,
  getTransactionDecoder,
  getTransactionEncoder,
  getAddressEncoder,
  signTransaction,
  type Address,
} from '@solana/kit';
import type { Wallet, WalletAccount } from '@wallet-standard/base';
import type { StandardEventsListeners } from '@wallet-standard/features';

import { fromBase64, toBase64 } from '../lib/rpc';

const STORED = 'ballast.burner';
const CHAINS = ['solana:localnet'] as const;
const ICON =
  'data:image/svg+xml;base64,PHN2ZyB4bWxucz0iaHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmciIHZpZXdCb3g9IjAgMCAzMiAzMiI+PHJlY3Qgd2lkdGg9IjMyIiBoZWlnaHQ9IjMyIiByeD0iNyIgZmlsbD0iI2MyNGQyYyIvPjxwYXRoIGQ9Ik0xNiA2YzQgNSA2IDggNiAxMmE2IDYgMCAwIDEtMTIgMGMwLTIgMS00IDMtNSAwIDIgMSAzIDIgMyAxLTMtMS02IDEtMTB6IiBmaWxsPSIjZmZmIi8+PC9zdmc+' as const;

/** The name under which it is listed. */
export const BURNER = 'Burner (local network)';

interface Key {
  pair: CryptoKeyPair;
  address: Address;
}

async function loadKey(): Promise<Key> {
  const stored = localStorage.getItem(STORED);
  const secret = stored ? fromBase64(stored) : crypto.getRandomValues(new Uint8Array(32));
  if (!stored) localStorage.setItem(STORED, toBase64(secret));
  const pair = await createKeyPairFromPrivateKeyBytes(secret);
  return { pair, address: await getAddressFromPublicKey(pair.publicKey) };
}

/** A burner wallet. */
export function burnerWallet(): Wallet {
  let key: Key | undefined;
  let accounts: WalletAccount[] = [];
  const listeners = new Set<StandardEventsListeners['change']>();
  const tell = (): void => listeners.forEach((listener) => listener({ accounts }));

  return {
    version: '1.0.0',
    name: BURNER,
    icon: ICON,
    chains: CHAINS,
    get accounts() {
      return accounts;
    },
    features: {
      'standard:connect': {
        version: '1.0.0',
        connect: async () => {
          key ??= await loadKey();
          const publicKey = new Uint8Array(getAddressEncoder().encode(key.address));
          if (accounts.length === 0) {
            accounts = [{ address: key.address, publicKey, chains: CHAINS, features: ['solana:signTransaction'] }];
            tell();
          }
          return { accounts };
        },
      },
      'standard:disconnect': {
        version: '1.0.0',
        disconnect: () => {
          accounts = [];
          tell();
          return Promise.resolve();
        },
      },
      'standard:events': {
        version: '1.0.0',
        on: (_event: 'change', listener: StandardEventsListeners['change']) => {
          listeners.add(listener);
          return () => listeners.delete(listener);
        },
      },
      'solana:signTransaction': {
        version: '1.0.0',
        supportedTransactionVersions: ['legacy', 0],
        signTransaction: async (...inputs: { transaction: Uint8Array }[]) => {
          const { pair } = (key ??= await loadKey());
          return Promise.all(
            inputs.map(async ({ transaction }) => {
              const decoded = getTransactionDecoder().decode(transaction);
              const signed = await signTransaction([pair], decoded);
              return { signedTransaction: new Uint8Array(getTransactionEncoder().encode(signed)) };
            }),
          );
        },
      },
    },
  };
}
