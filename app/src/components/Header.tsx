import { useEffect, useRef, useState } from 'react';

import { hrefOf, type Route } from '../hooks/route';
import { useFunds, useMarkets, useStatus } from '../hooks/chain';
import { useSession } from '../hooks/session';
import { isLocal } from '../lib/cluster';
import { fillWallet } from '../lib/faucet';
import { trouble } from '../lib/problems';
import { shortAddress, usd } from '../lib/units';
import { BURNER } from '../wallet/burner';
import { Dialog } from './Dialog';
import { NetworkDialog } from './NetworkDialog';

const PAGES: [Route['page'], string][] = [
  ['trade', 'Trade'],
  ['account', 'Account'],
  ['risk', 'Risk'],
  ['insurance', 'Insurance'],
  ['why', 'Why'],
];

export function Header({ route }: { route: Route }) {
  const markets = useMarkets();
  const market = route.market || (markets[0]?.symbol ?? '');
  return (
    <header className="flex h-11 items-center gap-1 border-b border-line bg-surface px-2 sm:gap-3 sm:px-3">
      <a href="#/trade" className="hidden items-center gap-2 text-base font-semibold sm:flex">
        <img src="./ballast.svg" alt="" className="size-5" />
        Ballast
      </a>
      <nav aria-label="Pages" className="flex min-w-0 overflow-x-auto">
        {PAGES.map(([page, label]) => (
          <a
            key={page}
            href={hrefOf({ page, market: page === 'trade' || page === 'risk' ? market : '' })}
            aria-current={route.page === page ? 'page' : undefined}
            className={`rounded px-1.5 py-1.5 sm:px-2.5 ${route.page === page ? 'font-medium text-text' : 'text-muted hover:text-text'}`}
          >
            {label}
          </a>
        ))}
      </nav>
      <div className="ml-auto flex shrink-0 items-center gap-1.5">
        <NetworkButton />
        <ThemeButton />
        <WalletButton />
      </div>
    </header>
  );
}

function ThemeButton() {
  const [theme, setTheme] = useState(() => document.documentElement.dataset.theme ?? 'dark');
  const other = theme === 'dark' ? 'light' : 'dark';
  return (
    <button
      type="button"
      className="plain px-2"
      aria-label={`Switch to ${other} colours`}
      onClick={() => {
        document.documentElement.dataset.theme = other;
        localStorage.setItem('ballast.theme', other);
        setTheme(other);
        window.dispatchEvent(new Event('ballast:theme'));
      }}
    >
      <span aria-hidden="true">{theme === 'dark' ? '☾' : '☀'}</span>
    </button>
  );
}

function NetworkButton() {
  const { cluster } = useSession();
  const { connection, phase } = useStatus();
  const [open, setOpen] = useState(false);
  const state = phase === 'ready' ? connection : phase === 'failed' ? 'lost' : 'connecting';
  const words = { open: 'connected', connecting: 'connecting', lost: 'no connection' }[state];
  return (
    <>
      <button type="button" className="plain px-2" onClick={() => setOpen(true)}>
        <span
          aria-hidden="true"
          className={`size-2 rounded-full ${state === 'open' ? 'bg-up' : state === 'lost' ? 'bg-down' : 'bg-warn'}`}
        />
        <span className="max-sm:sr-only">{cluster.name}</span>
        <span className="sr-only">: {words}</span>
      </button>
      {open && <NetworkDialog onClose={() => setOpen(false)} />}
    </>
  );
}

function WalletButton() {
  const { connected } = useSession();
  const [open, setOpen] = useState(false);
  return (
    <>
      <button type="button" className={connected ? 'plain' : 'primary'} onClick={() => setOpen(true)}>
        {connected ? <span className="num">{shortAddress(connected.account.address)}</span> : 'Connect'}
      </button>
      {open && <WalletDialog onClose={() => setOpen(false)} />}
    </>
  );
}

function WalletDialog({ onClose }: { onClose: () => void }) {
  const { connected } = useSession();
  // Whoever has just connected came for something else than this.
  const before = useRef(connected);
  useEffect(() => {
    if (connected && !before.current && connected.wallet.name !== BURNER) onClose();
  }, [connected, onClose]);
  return (
    <Dialog title={connected ? 'Wallet' : 'Connect a wallet'} onClose={onClose}>
      {connected ? <Funds onClose={onClose} /> : <WalletList />}
    </Dialog>
  );
}

function WalletList() {
  const { wallets, connect, cluster } = useSession();
  return (
    <div className="grid gap-2">
      {wallets.map((wallet) => (
        <button key={wallet.name} type="button" className="plain justify-start py-2" onClick={() => void connect(wallet)}>
          <img src={wallet.icon} alt="" className="size-5 rounded" />
          {wallet.name}
        </button>
      ))}
      {wallets.length === 0 && (
        <p className="text-muted">No wallet for {cluster.name} is installed in this browser. Any wallet of the Wallet Standard works.</p>
      )}
      {isLocal(cluster) && (
        <p className="text-2xs text-muted">The burner keeps its key in this browser and signs without asking. It exists on local networks only.</p>
      )}
    </div>
  );
}

function Funds({ onClose }: { onClose: () => void }) {
  const { connected, disconnect, cluster, chain, tell } = useSession();
  const funds = useFunds();
  const [busy, setBusy] = useState(false);
  const owner = connected?.account.address ?? '';
  const fill = async (): Promise<void> => {
    setBusy(true);
    try {
      await fillWallet(chain.rpc, owner, chain.exchange()?.quoteMint ?? '');
      await chain.refresh();
      tell('The wallet has test money', 'SOL for fees and $100,000 to deposit.');
      onClose();
    } catch (error) {
      const { title, detail } = trouble(error);
      tell(title, detail, 'failed');
    }
    setBusy(false);
  };
  return (
    <div className="grid gap-3">
      <p className="break-all rounded bg-raised p-2 font-mono text-2xs">{owner}</p>
      <dl className="grid grid-cols-2 gap-y-1">
        <dt className="text-muted">Dollars in the wallet</dt>
        <dd className="num text-right">{usd(funds?.tokens ?? 0n)}</dd>
        <dt className="text-muted">SOL for fees</dt>
        <dd className="num text-right">{usd((funds?.lamports ?? 0n) / 1_000n, 4)}</dd>
      </dl>
      <div className="flex gap-2">
        {isLocal(cluster) && (
          <button type="button" className="primary flex-1" disabled={busy} onClick={() => void fill()}>
            Get test money
          </button>
        )}
        <button
          type="button"
          className="plain flex-1"
          onClick={() => {
            disconnect();
            onClose();
          }}
        >
          Disconnect
        </button>
      </div>
    </div>
  );
}
