// Adding and removing margin: money between the wallet, this account and the owner's other accounts.
import { useState } from 'react';

import { useAccounts, useFunds } from '../hooks/chain';
import { useSession } from '../hooks/session';
import { deposit, transfer, withdraw } from '../lib/actions';
import { parseDecimal } from '../lib/decimal';
import { MONEY_SCALE, usd } from '../lib/units';
import type { AccountInfo } from '../wasm/ballast_wasm';
import { Choice } from './Choice';
import { Dialog } from './Dialog';
import { Line, NumberField, Select, typed } from './Field';

type Way = 'add' | 'remove';

interface Props {
  account: AccountInfo;
  way?: Way;
  onClose: () => void;
}

/** Adds money to an account or takes some out; the other end is the wallet or another account of the owner. */
export function MarginDialog({ account, way: first = 'add', onClose }: Props) {
  const { chain, connected, own, run } = useSession();
  const funds = useFunds();
  const accounts = useAccounts();
  // A delegate can add out of his own wallet, but move nothing else.
  const rest = own ? accounts.filter(({ number }) => number !== account.number) : [];
  const [way, setWay] = useState<Way>(first);
  const [end, setEnd] = useState('wallet');
  const [text, setText] = useState('');
  const other = rest.find(({ address }) => address === end);
  const most = way === 'remove' ? account.withdrawable : other ? other.withdrawable : (funds?.tokens ?? 0n);
  const amount = parseDecimal(text, MONEY_SCALE);
  const allowed = amount !== null && amount > 0n && amount <= most;
  const name = other ? `account ${other.number + 1}` : 'the wallet';
  const title = `${way === 'add' ? 'Add' : 'Remove'} ${amount === null ? '' : usd(amount)} ${way === 'add' ? 'from' : 'to'} ${name}`;
  const submit = async (): Promise<void> => {
    const exchange = chain.exchange();
    if (!exchange || !connected || !allowed) return;
    onClose();
    await run(title, () => {
      if (other) {
        const [from, to] = way === 'add' ? [other, account] : [account, other];
        return [transfer(exchange, chain.markets(), from, to.address, amount)];
      }
      if (way === 'remove') return withdraw(exchange, chain.markets(), account, amount);
      return deposit(exchange, connected.account.address, account.address, account.number, true, amount);
    });
  };
  const ends: [string, string][] = [['wallet', 'Wallet'], ...rest.map(({ address, number, withdrawable }): [string, string] => [address, `Account ${number + 1} (${usd(withdrawable)})`])];
  return (
    <Dialog title={`Margin of account ${account.number + 1}`} onClose={onClose}>
      <form
        className="grid gap-3"
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        {own && <Choice label="Direction" options={[['add', 'Add'], ['remove', 'Remove']]} value={way} onChange={setWay} />}
        <Select label={way === 'add' ? 'From' : 'To'} value={end} options={ends} onChange={setEnd} />
        <NumberField label="Amount" unit="USD" value={text} onChange={setText} autoFocus />
        <button type="button" className="link num justify-self-start" onClick={() => setText(typed(usd(most, MONEY_SCALE)))}>
          all: {usd(most)}
        </button>
        <dl className="grid gap-1">
          <Line name="Equity now" value={usd(account.equity)} />
          <Line name="Maintenance margin" value={usd(account.maintenance)} />
          {amount !== null && account.maintenance > 0n && (
            <Line
              name="Margin ratio afterwards"
              value={`${String(((account.equity + (way === 'add' ? amount : -amount)) * 100n) / account.maintenance)} %`}
            />
          )}
        </dl>
        {amount !== null && amount > most && (
          <p className="text-warn">
            {way === 'add' && !other ? `The wallet holds ${usd(most)}.` : 'Only settled money that no position or order needs as margin can leave an account.'}
          </p>
        )}
        {!own && <p className="text-warn">The money becomes the owner’s of this account: your wallet cannot take it out again.</p>}
        <button type="submit" className="primary" disabled={!allowed}>{way === 'add' ? 'Add margin' : 'Remove margin'}</button>
      </form>
    </Dialog>
  );
}
