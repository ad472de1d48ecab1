// Money in and out of margin accounts.
import { useId, useState } from 'react';

import { useAccounts, useChosen, useFunds } from '../hooks/chain';
import { useSession } from '../hooks/session';
import { deposit, withdraw } from '../lib/actions';
import { formatDecimal, parseDecimal } from '../lib/decimal';
import { MONEY_SCALE, usd } from '../lib/units';
import type { AccountInfo } from '../wasm/ballast_wasm';
import { Dialog } from './Dialog';

function AmountField({ value, most, label, onChange }: { value: string; most: bigint; label: string; onChange: (value: string) => void }) {
  const id = useId();
  return (
    <div className="grid gap-1">
      <span className="flex justify-between text-muted">
        <label htmlFor={id}>{label}</label>
        <button type="button" className="link num" onClick={() => onChange(formatDecimal(most, MONEY_SCALE).replaceAll(',', ''))}>
          all: {usd(most)}
        </button>
      </span>
      <input id={id} className="field" inputMode="decimal" autoComplete="off" autoFocus placeholder="0" value={value} onChange={({ target }) => onChange(target.value)} />
    </div>
  );
}

/** Puts money into a margin account, and opens it if it does not exist. */
export function DepositDialog({ number: wanted, onClose }: { number?: number; onClose: () => void }) {
  const { chain, connected, own, run, setAccount } = useSession();
  const current = useChosen();
  const funds = useFunds();
  const accounts = useAccounts();
  const number = wanted ?? current;
  const existing = accounts.find((info) => info.number === number);
  const [text, setText] = useState('');
  const amount = parseDecimal(text, MONEY_SCALE);
  const held = funds?.tokens ?? 0n;
  const enough = amount !== null && amount > 0n && amount <= held;
  const submit = async (): Promise<void> => {
    const [exchange, address] = [chain.exchange(), chain.addresses()[number]];
    if (!exchange || !connected || !address || amount === null) return;
    const title = `Deposit ${usd(amount)} into account ${number + 1}`;
    onClose();
    const done = await run(title, () => deposit(exchange, connected.account.address, address, number, existing !== undefined, amount));
    // Whoever opens an account here wants to see it.
    if (done && !existing) setAccount(number);
  };
  return (
    <Dialog title={existing ? `Deposit into account ${number + 1}` : `Open account ${number + 1}`} onClose={onClose}>
      <form
        className="grid gap-3"
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        <AmountField label="Dollars" value={text} most={held} onChange={setText} />
        {amount !== null && amount > held && <p className="text-warn">The wallet holds {usd(held)}.</p>}
        {!own && <p className="text-warn">The money becomes the owner’s of this account: your wallet cannot take it out again.</p>}
        {!existing && <p className="text-muted">Opens a margin account; its rent comes back when it is closed.</p>}
        <button type="submit" className="primary" disabled={!enough}>Deposit</button>
      </form>
    </Dialog>
  );
}

/** Takes settled money out. */
export function WithdrawDialog({ account, onClose }: { account: AccountInfo; onClose: () => void }) {
  const { chain, run } = useSession();
  const [text, setText] = useState('');
  const amount = parseDecimal(text, MONEY_SCALE);
  const allowed = amount !== null && amount > 0n && amount <= account.withdrawable;
  const submit = async (): Promise<void> => {
    const exchange = chain.exchange();
    if (!exchange || amount === null) return;
    onClose();
    await run(`Withdraw ${usd(amount)}`, () => withdraw(exchange, chain.markets(), account, amount));
  };
  return (
    <Dialog title={`Withdraw from account ${account.number + 1}`} onClose={onClose}>
      <form
        className="grid gap-3"
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        <dl className="grid grid-cols-2 gap-y-1">
          <dt className="text-muted">Settled money</dt>
          <dd className="num text-right">{usd(account.settled)}</dd>
          <dt className="text-muted">Not settled yet</dt>
          <dd className="num text-right">{usd(account.unsettled, 2, true)}</dd>
          <dt className="text-muted">Can leave now</dt>
          <dd className="num text-right">{usd(account.withdrawable)}</dd>
        </dl>
        <AmountField label="Dollars" value={text} most={account.withdrawable} onChange={setText} />
        {amount !== null && amount > account.withdrawable && (
          <p className="text-warn">Only settled money that no position or order needs as margin can leave.</p>
        )}
        <button type="submit" className="primary" disabled={!allowed}>Withdraw</button>
      </form>
    </Dialog>
  );
}
