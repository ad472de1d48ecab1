// Trading for others: the accounts whose owners have made this wallet their delegate.
import { useRemote } from '../hooks/remote';
import { useSession } from '../hooks/session';
import { findEntrusted } from '../lib/entrusted';
import { shortAddress } from '../lib/units';

/** The accounts entrusted to the wallet, to choose from. Nothing where there are none. */
export function Entrusted() {
  const { chain, connected, owner, account, actFor } = useSession();
  const wallet = connected?.account.address ?? null;
  const { value, failure, again } = useRemote(wallet && `${chain.cluster.rpc}/${wallet}`, () => findEntrusted(chain, wallet ?? ''));
  if (failure) {
    return (
      <p className="text-muted">
        Whether others let this wallet trade for them is not known: {failure}.{' '}
        <button type="button" className="link" onClick={again}>Ask again</button>
      </p>
    );
  }
  if (!value || value.length === 0) return null;
  return (
    <section aria-label="Accounts entrusted to you" className="rounded border border-line bg-surface p-3">
      <h2 className="font-medium">Accounts entrusted to you</h2>
      <p className="mb-2 text-muted">Their owners let this wallet trade for them. Their money stays theirs: it can only be traded with.</p>
      <ul className="flex flex-wrap gap-1.5">
        {value.map((one) => {
          const chosen = one.owner === owner && one.number === account;
          return (
            <li key={one.address}>
              <button type="button" aria-pressed={chosen} className={`plain ${chosen ? 'border-accent' : ''}`} onClick={() => actFor(one.owner, one.number)}>
                Account {one.number + 1} of <span className="font-mono text-2xs">{shortAddress(one.owner)}</span>
              </button>
            </li>
          );
        })}
      </ul>
    </section>
  );
}

/** Says for whom the page trades, while it is not for the wallet itself. */
export function ActingFor() {
  const { owner, own, account, actFor } = useSession();
  if (own || owner === null) return null;
  return (
    <div role="status" className="flex flex-wrap items-center gap-2 border-b border-line bg-raised px-3 py-1.5">
      <span>
        You trade for account {account + 1} of <span className="font-mono text-2xs">{shortAddress(owner)}</span>. Its money can only be traded with.
      </span>
      <button type="button" className="link" onClick={() => actFor(null, 0)}>Back to your own accounts</button>
    </div>
  );
}

/** Stands where an account would, when its owner has taken the trade out of the wallet's hands. */
export function Dismissed() {
  const { actFor } = useSession();
  return (
    <p className="p-3 text-muted">
      This wallet may not trade for that account (any more).{' '}
      <button type="button" className="link" onClick={() => actFor(null, 0)}>Back to your own accounts</button>
    </p>
  );
}
