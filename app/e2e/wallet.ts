// A Wallet Standard wallet for tests, put into the page before it loads. It signs without asking, unless it is told to
// refuse.
import type { Page } from 'playwright-core';

declare global {
  interface Window {
    /** Whether the wallet refuses what it is asked next. */
    refuses: boolean;
  }
}

/** Installs the wallet in a page that has not loaded yet. */
export async function installWallet(page: Page): Promise<void> {
  await page.addInitScript(() => {
    window.refuses = false;
    const chains = ['solana:localnet'];
    const ALPHABET = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';
    const base58 = (bytes: Uint8Array): string => {
      let value = bytes.reduce((sum, byte) => sum * 256n + BigInt(byte), 0n);
      let text = '';
      for (; value > 0n; value /= 58n) text = ALPHABET.charAt(Number(value % 58n)) + text;
      return '1'.repeat([...bytes].findIndex((byte) => byte !== 0)) + text;
    };
    interface Account {
      address: string;
      publicKey: Uint8Array;
      chains: string[];
      features: string[];
    }
    let pair: CryptoKeyPair | undefined;
    let accounts: Account[] = [];
    const load = async (): Promise<CryptoKeyPair> => {
      pair ??= (await crypto.subtle.generateKey('Ed25519', true, ['sign', 'verify']));
      return pair;
    };
    const refuse = (): void => {
      if (window.refuses) throw new Error('User rejected the request.');
    };
    const wallet = {
      version: '1.0.0',
      name: 'Test wallet',
      icon: 'data:image/svg+xml;base64,PHN2ZyB4bWxucz0iaHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmciLz4=',
      chains,
      get accounts() {
        return accounts;
      },
      features: {
        'standard:connect': {
          version: '1.0.0',
          connect: async () => {
            refuse();
            const { publicKey } = await load();
            const raw = new Uint8Array(await crypto.subtle.exportKey('raw', publicKey));
            accounts = [{ address: base58(raw), publicKey: raw, chains, features: ['solana:signTransaction'] }];
            return { accounts };
          },
        },
        'standard:events': { version: '1.0.0', on: () => () => undefined },
        'solana:signTransaction': {
          version: '1.0.0',
          supportedTransactionVersions: ['legacy', 0],
          signTransaction: async (...inputs: { transaction: Uint8Array }[]) => {
            refuse();
            const { privateKey } = await load();
            const sign = async ({ transaction }: { transaction: Uint8Array }) => {
              // One signature: a length of one byte, 64 bytes, then the message.
              const signedTransaction = new Uint8Array(transaction);
              const message = signedTransaction.slice(65);
              signedTransaction.set(new Uint8Array(await crypto.subtle.sign('Ed25519', privateKey, message)), 1);
              return { signedTransaction };
            };
            return Promise.all(inputs.map(sign));
          },
        },
      },
    };
    const announce = (api: { register: (one: unknown) => void }): void => api.register(wallet);
    window.addEventListener('wallet-standard:app-ready', (event) => announce((event as CustomEvent<{ register: (one: unknown) => void }>).detail));
    window.dispatchEvent(new CustomEvent('wallet-standard:register-wallet', { detail: announce }));
  });
}
