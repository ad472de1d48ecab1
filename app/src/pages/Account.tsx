import { useMemo, useState } from 'react';

import { AccountChoice, MoveBack } from '../components/Accounts';
import { Boundary } from '../components/Boundary';
import { Dismissed, Entrusted } from '../components/Entrusted';
import { History } from '../components/history/History';
import { MarginDialog } from '../components/MarginDialog';
import { DepositDialog, WithdrawDialog } from '../components/Money';
import { Orders } from '../components/Orders';
import { Positions } from '../components/Positions';
import { Summary } from '../components/Summary';
import { useAccount, useAccounts, useFunds, useMarkets } from '../hooks/chain';
import { useSession } from '../hooks/session';
import { closeAccount, setDelegate } from '../lib/actions';
import { ACCOUNTS } from '../lib/chain';
import { shortAddress, usd } from '../lib/units';
import type { AccountInfo } from '../wasm/ballast_wasm';
import { stageWords } from '../components/Banners';

/** A wallet's margin accounts: money, positions, orders, who may trade. */
export function AccountPage() {
  const { connected, own, chain } = useSession();
  const accounts = useAccounts();
  const account = useAccount();
  const shown = useMemo(() => (account ? [account] : []), [account]);
  const funds = useFunds();
  const [dialog, setDialog] = useState<'deposit' | 'withdraw' | 'open' | 'transfer' | null>(null);
  if (!connected) {
    return (
      <div className="grid h-full place-items-center p-6 text-center">
        <div>
          <h1 className="text-base font-medium">Your accounts</h1>
          <p className="mt-1 text-muted">Connect a wallet to see them.</p>
        </div>
      </div>
    );
  }
  const numbers = new Set(accounts.map(({ number }) => number));
  const free = Array.from({ length: ACCOUNTS }, (_, number) => number).find((number) => !numbers.has(number));
  return (
    <div className="mx-auto grid max-w-7xl gap-3 p-3">
      <div className="flex flex-wrap items-center gap-2">
        <h1 className="mr-2 text-base font-semibold">Accounts</h1>
        <AccountChoice money />
        {own && free !== undefined && (
          <button type="button" className="plain" onClick={() => setDialog('open')}>
            + New account
          </button>
        )}
        <span className="num ml-auto text-muted">Wallet: {usd(funds?.tokens ?? 0n)}</span>
      </div>
      <p className="text-muted">
        Positions in one account share its money (cross margin). A position alone in an account risks only what is in there (isolated margin). Orders go
        to the account that is pressed.
      </p>
      <MoveBack />
      {account ? (
        <>
          <section aria-label="Balance" className="rounded border border-line bg-surface">
            <div className="flex flex-wrap items-center gap-2 border-b border-line px-3 py-2">
              <h2 className="font-medium">Account {account.number + 1}</h2>
              <span className="font-mono text-2xs text-muted">{shortAddress(account.address)}</span>
              <div className="ml-auto flex gap-2">
                <button type="button" className="primary" onClick={() => setDialog('deposit')}>Deposit</button>
                {own && <button type="button" className="plain" onClick={() => setDialog('withdraw')}>Withdraw</button>}
                {own && accounts.length > 1 && (
                  <button type="button" className="plain" onClick={() => setDialog('transfer')}>Transfer</button>
                )}
              </div>
            </div>
            <Money account={account} />
            <Summary account={account} />
            <p className="border-t border-line px-3 py-2 text-muted">
              {stageWords(account) ??
                'Settled money can leave. Profit becomes settled out of losses that others have paid; until then it counts as equity.'}
            </p>
          </section>
          <section aria-label="Positions" className="overflow-x-auto rounded border border-line bg-surface" tabIndex={0}>
            <h2 className="px-3 pt-2 font-medium">Positions</h2>
            <Positions accounts={shown} />
          </section>
          <section aria-label="Orders" className="overflow-x-auto rounded border border-line bg-surface" tabIndex={0}>
            <h2 className="px-3 pt-2 font-medium">Resting orders</h2>
            <Orders accounts={shown} />
          </section>
          <Boundary key={`history ${account.address}`}><History account={account} /></Boundary>
          {own && (
            <div className="grid gap-3 md:grid-cols-2">
              <Delegate account={account} key={account.address} />
              <CloseAccount account={account} />
            </div>
          )}
        </>
      ) : !own ? (
        <Dismissed />
      ) : (
        <section className="rounded border border-line bg-surface p-6 text-center">
          <h2 className="font-medium">No margin account yet</h2>
          <p className="mt-1 mb-3 text-muted">A deposit opens the first one.</p>
          <button type="button" className="primary" disabled={chain.exchange() === null} onClick={() => setDialog('deposit')}>Deposit</button>
        </section>
      )}
      <Entrusted />
      {dialog === 'deposit' && <DepositDialog onClose={() => setDialog(null)} />}
      {dialog === 'open' && free !== undefined && <DepositDialog number={free} onClose={() => setDialog(null)} />}
      {dialog === 'transfer' && account && <MarginDialog account={account} way="remove" onClose={() => setDialog(null)} />}
      {dialog === 'withdraw' && account && <WithdrawDialog account={account} onClose={() => setDialog(null)} />}
    </div>
  );
}

/** What can leave, what is settled, and what is not money yet. */
function Money({ account }: { account: AccountInfo }) {
  const parts: [string, bigint, string][] = [
    ['Can leave now', account.withdrawable, 'Settled, and not needed as margin.'],
    ['Settled', account.settled, 'Money in the exchange’s vault.'],
    ['Not settled yet', account.unsettled, 'Realised profit that waits for losers to pay, or a loss to be paid.'],
    ['In open positions', account.profit, 'Profit at the marks.'],
  ];
  return (
    <dl className="grid gap-px border-b border-line bg-line sm:grid-cols-4" data-testid="money">
      {parts.map(([name, value, how], at) => (
        <div key={name} className="bg-surface p-3">
          <dt className="text-2xs text-muted">{name}</dt>
          <dd className={`num text-base font-semibold ${at > 1 && value < 0n ? 'text-down' : at > 1 && value > 0n ? 'text-up' : ''}`}>{usd(value, 2, at > 1)}</dd>
          <dd className="text-2xs text-muted">{how}</dd>
        </div>
      ))}
    </dl>
  );
}

function Delegate({ account }: { account: AccountInfo }) {
  const { run } = useSession();
  const [text, setText] = useState('');
  const valid = /^[1-9A-HJ-NP-Za-km-z]{32,44}$/.test(text);
  return (
    <section aria-label="Delegate" className="rounded border border-line bg-surface p-3">
      <h2 className="font-medium">Delegate</h2>
      <p className="mb-2 text-muted">A second key that may trade for this account but never withdraw.</p>
      {account.delegate && (
        <p className="mb-2 flex items-center justify-between gap-2">
          <span className="truncate font-mono text-2xs">{account.delegate}</span>
          <button type="button" className="plain" onClick={() => void run('Remove the delegate', () => [setDelegate(account, null)])}>Remove</button>
        </p>
      )}
      <form
        className="flex gap-2"
        onSubmit={(event) => {
          event.preventDefault();
          void run('Name a delegate', () => [setDelegate(account, text)]).then((done) => done && setText(''));
        }}
      >
        <label className="min-w-0 flex-1">
          <span className="sr-only">Address of the delegate</span>
          <input className="field" placeholder="Address" value={text} onChange={({ target }) => setText(target.value.trim())} />
        </label>
        <button type="submit" className="plain" disabled={!valid}>Name</button>
      </form>
    </section>
  );
}

function CloseAccount({ account }: { account: AccountInfo }) {
  const { run } = useSession();
  useMarkets();
  const empty = account.settled === 0n && account.positions.length === 0;
  return (
    <section aria-label="Close the account" className="rounded border border-line bg-surface p-3">
      <h2 className="font-medium">Close the account</h2>
      <p className="mb-2 text-muted">{empty ? 'Its rent goes back to the wallet.' : 'Possible once it holds no money, positions or orders.'}</p>
      <button type="button" className="plain" disabled={!empty} onClick={() => void run(`Close account ${account.number + 1}`, () => [closeAccount(account)])}>
        Close account {account.number + 1}
      </button>
    </section>
  );
}
