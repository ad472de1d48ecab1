// The owner's margin accounts: what they are called, which one orders go to, and money that lies idle in them.
import { useAccount, useAccounts, useMarkets } from '../hooks/chain';
import { useSession } from '../hooks/session';
import { idleAccounts, transfer } from '../lib/actions';
import { usd } from '../lib/units';
import type { AccountInfo, MarketInfo } from '../wasm/ballast_wasm';

/** What an account is called. */
export function accountName({ number }: Pick<AccountInfo, 'number'>): string {
  return `account ${number + 1}`;
}

/** What an account is used for. A position alone in an account beside the first risks only what is in there. */
export function kindOf({ number, positions }: Pick<AccountInfo, 'number' | 'positions'>, markets: readonly MarketInfo[]): string {
  if (number === 0 || positions.length > 1) return 'cross';
  const [only] = positions;
  return only ? `isolated ${markets[only.market]?.symbol ?? ''}` : 'no position';
}

/** Which account something belongs to, where there are several. */
export function Whose({ account, accounts }: { account: AccountInfo; accounts: readonly AccountInfo[] }) {
  return accounts.length > 1 && <span className="ml-1 text-2xs text-muted">{accountName(account)}</span>;
}

/** The accounts as buttons: the pressed one is traded with. */
export function AccountChoice({ money = false }: { money?: boolean }) {
  const { setAccount } = useSession();
  const accounts = useAccounts();
  const markets = useMarkets();
  const chosen = useAccount()?.number;
  return (
    <div role="group" aria-label="Margin accounts" className="flex flex-wrap gap-1.5">
      {accounts.map((account) => (
        <button
          key={account.number}
          type="button"
          aria-pressed={account.number === chosen}
          title="Orders of the ticket go to the account that is pressed"
          className={`plain ${money ? '' : 'px-2 py-0.5'} ${account.number === chosen ? 'border-accent' : ''}`}
          onClick={() => setAccount(account.number)}
        >
          <span className="first-letter:uppercase">{accountName(account)}</span>
          {money && <span className="num text-muted">{usd(account.equity)}</span>}
          <span className="text-2xs text-muted">{kindOf(account, markets)}</span>
        </button>
      ))}
    </div>
  );
}

/** Offers to bring together what lies in accounts without a position, for instance the margin of isolated positions that were closed. */
export function MoveBack() {
  const { chain, own, run } = useSession();
  const accounts = useAccounts();
  const chosen = useAccount();
  const { idle, target } = idleAccounts(accounts, chosen);
  const exchange = chain.exchange();
  if (!own || !exchange || !target || idle.length === 0) return null;
  const sum = idle.reduce((total, { withdrawable }) => total + withdrawable, 0n);
  const words = `Move ${usd(sum)} back to ${accountName(target)}`;
  return (
    <p className="flex flex-wrap items-center gap-2 text-muted">
      Without a position: {idle.map(accountName).join(', ')}.
      <button type="button" className="plain py-0.5" onClick={() => void run(words, () => idle.map((account) => transfer(exchange, chain.markets(), account, target.address, account.withdrawable)))}>
        {words}
      </button>
    </p>
  );
}
