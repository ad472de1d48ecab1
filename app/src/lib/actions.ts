// What owners do with accounts and money, as instructions of the generated client. Orders and protection have their own files.
import { AccountRole, address, createNoopSigner, type AccountMeta, type Instruction } from '@solana/kit';

import {
  getCloseMarginAccountInstruction,
  getDepositInstruction,
  getOpenMarginAccountInstruction,
  getSetDelegateInstruction,
  getTransferCollateralInstruction,
  getWithdrawInstruction,
} from '../generated';
import { traderAddress, type AccountInfo, type ExchangeInfo, type MarketInfo } from '../wasm/ballast_wasm';
import { createTokenAccount, tokenAddress } from './tokens';

const NOBODY = address('11111111111111111111111111111111');
/** The account's other markets, which an instruction has to be given. */
export function others(markets: readonly MarketInfo[], account: Pick<AccountInfo, 'positions'>, except?: number): AccountMeta[] {
  return account.positions
    .filter(({ market }) => market !== except)
    .flatMap(({ market }) => {
      const { address: key, book, ranks } = markets[market]!;
      return [key, book, ranks].map((one) => ({ address: address(one), role: AccountRole.READONLY }));
    });
}

/** An instruction with more accounts at its end. */
export function withOthers(instruction: Instruction, more: AccountMeta[]): Instruction {
  return { ...instruction, accounts: [...(instruction.accounts ?? []), ...more] };
}

/** Opens an owner's margin account with this number; he pays its rent. */
export function openAccount(exchange: ExchangeInfo, owner: string, margin: string, number: number): Instruction {
  const signer = createNoopSigner(address(owner));
  return getOpenMarginAccountInstruction({
    payer: signer,
    owner: signer,
    exchange: address(exchange.address),
    margin: address(margin),
    trader: address(traderAddress(exchange.address, owner)),
    number,
  });
}

/** Moves settled money between two accounts of one owner, under the conditions of a withdrawal. */
export function transfer(
  exchange: ExchangeInfo,
  markets: readonly MarketInfo[],
  from: Pick<AccountInfo, 'address' | 'owner' | 'positions'>,
  to: string,
  amount: bigint,
): Instruction {
  const move = getTransferCollateralInstruction({
    owner: createNoopSigner(address(from.owner)),
    exchange: address(exchange.address),
    from: address(from.address),
    to: address(to),
    amount,
  });
  return withOthers(move, others(markets, from));
}

/**
 * Accounts beside the first that have money but neither positions nor orders, and where it would go: to the chosen account, or
 * the first that is not one of them.
 */
export function idleAccounts(accounts: readonly AccountInfo[], chosen: AccountInfo | null): { idle: AccountInfo[]; target: AccountInfo | undefined } {
  const idles = (account: AccountInfo): boolean =>
    account.number > 0 && account.withdrawable > 0n && account.positions.every(({ lots, orders }) => lots === 0n && orders === 0);
  const target = chosen && !idles(chosen) ? chosen : (accounts.find((account) => !idles(account)) ?? accounts[0]);
  return { idle: accounts.filter((account) => account !== target && idles(account)), target };
}

/** Puts money from the wallet into a margin account, opening it if it does not exist. */
export async function deposit(
  exchange: ExchangeInfo,
  owner: string,
  margin: string,
  number: number,
  exists: boolean,
  amount: bigint,
): Promise<Instruction[]> {
  const signer = createNoopSigner(address(owner));
  const put = getDepositInstruction({
    depositor: signer,
    exchange: address(exchange.address),
    margin: address(margin),
    source: await tokenAddress(owner, exchange.quoteMint),
    vault: address(exchange.vault),
    amount,
  });
  return exists ? [put] : [openAccount(exchange, owner, margin, number), put];
}

/** Takes settled money out into the wallet. */
export async function withdraw(
  exchange: ExchangeInfo,
  markets: readonly MarketInfo[],
  account: AccountInfo,
  amount: bigint,
): Promise<Instruction[]> {
  const take = getWithdrawInstruction({
    owner: createNoopSigner(address(account.owner)),
    exchange: address(exchange.address),
    margin: address(account.address),
    vault: address(exchange.vault),
    target: await tokenAddress(account.owner, exchange.quoteMint),
    amount,
  });
  return [await createTokenAccount(account.owner, exchange.quoteMint), withOthers(take, others(markets, account))];
}

/** Names who may trade for the account but not withdraw; `null` for nobody. */
export function setDelegate(account: AccountInfo, delegate: string | null): Instruction {
  return getSetDelegateInstruction({
    owner: createNoopSigner(address(account.owner)),
    margin: address(account.address),
    delegate: delegate === null ? NOBODY : address(delegate),
  });
}

/** Closes an empty account; its rent goes back to the owner. */
export function closeAccount(account: AccountInfo): Instruction {
  return getCloseMarginAccountInstruction({
    owner: createNoopSigner(address(account.owner)),
    margin: address(account.address),
    receiver: address(account.owner),
  });
}
