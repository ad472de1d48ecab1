// What the whole page shares: the network, the wallet, the chosen margin account, and what is under way.
import type { Instruction } from '@solana/kit';
import { createContext, useCallback, useContext, useEffect, useMemo, useState, type ReactNode } from 'react';

import type { Alarm } from '../lib/alarms';
import { ACCOUNTS, Chain } from '../lib/chain';
import { initialCluster, storeCluster, type Cluster } from '../lib/cluster';
import { hrefOf, whyHref } from './route';
import { trouble } from '../lib/problems';
import { Uncertain, transact, type Stage } from '../lib/send';
import { connect, disconnect, lastWallet, offerBurner, onAccount, onWallets, signerOf, usable, type Connected } from '../wallet/wallets';
import type { Wallet } from '@wallet-standard/base';

/** Something that happened or is happening, told in a corner of the page. */
export interface Notice {
  id: number;
  title: string;
  detail: string;
  stage: Stage | 'info' | 'unknown' | 'forced';
  signature?: string;
  /** The page that explains it. */
  href?: string;
}

interface Session {
  cluster: Cluster;
  setCluster: (cluster: Cluster) => void;
  chain: Chain;
  wallets: readonly Wallet[];
  connected: Connected | null;
  connect: (wallet: Wallet) => Promise<void>;
  disconnect: () => void;
  /** Whose accounts are shown: the wallet's own, or those of an owner for whom it trades. */
  owner: string | null;
  /** Whether they are the wallet's own. A delegate trades, but moves no money out and changes no rules. */
  own: boolean;
  /** Shows an owner's accounts and chooses one; with `null`, the wallet's own and the one chosen last. */
  actFor: (owner: string | null, account: number) => void;
  /** The number of the margin account that was chosen to trade with; it may not exist (any more). */
  account: number;
  setAccount: (account: number) => void;
  notices: readonly Notice[];
  dismiss: (id: number) => void;
  tell: (title: string, detail: string, stage?: Notice['stage']) => void;
  /** Runs instructions in one transaction with the wallet; says whether it was confirmed. */
  run: (title: string, build: () => Promise<readonly Instruction[]> | readonly Instruction[]) => Promise<boolean>;
}

const Context = createContext<Session | null>(null);
/** For how long a notice of success stays. */
const STAYS_MS = 6_000;
/** Of what is over, so many notices are shown. What is under way, unknown or forced stays until that changes or it is dismissed. */
const OVER = 4;
let nextNotice = 1;

/** The notices that are kept, in their order. */
export function latest(all: readonly Notice[]): Notice[] {
  const over = all.filter(({ stage }) => stage === 'done' || stage === 'info' || stage === 'failed');
  const dropped = new Set(over.slice(0, -OVER));
  return all.filter((notice) => !dropped.has(notice));
}

/** Where it is kept which of its accounts a wallet has chosen. */
const chosenBy = (wallet: string): string => `ballast.account.${wallet}`;

/** The account that a wallet chose when it was here before. */
export function storedAccount(wallet: string): number {
  const stored = Number(localStorage.getItem(chosenBy(wallet)));
  return Number.isInteger(stored) && stored >= 0 && stored < ACCOUNTS ? stored : 0;
}

/** The shared session. */
export function useSession(): Session {
  const session = useContext(Context);
  if (!session) throw new Error('no session');
  return session;
}

export function SessionProvider({ children }: { children: ReactNode }) {
  const [cluster, chooseCluster] = useState(() => initialCluster(window.location.search, localStorage));
  const [chain, setChain] = useState<Chain | null>(null);
  const [connected, setConnected] = useState<Connected | null>(null);
  const [wallets, setWallets] = useState<readonly Wallet[]>([]);
  const [account, choose] = useState(0);
  const [principal, setPrincipal] = useState<string | null>(null);
  const wallet = connected?.account.address ?? null;
  const owner = wallet === null ? null : (principal ?? wallet);
  const [notices, setNotices] = useState<readonly Notice[]>([]);

  // A connection belongs to a network and ends with it.
  useEffect(() => {
    const opened = new Chain(cluster);
    setChain(opened);
    return () => opened.close();
  }, [cluster]);

  useEffect(() => {
    offerBurner(cluster);
    const look = (): void => setWallets(usable(cluster));
    look();
    return onWallets(look);
  }, [cluster]);

  useEffect(() => {
    const wallet = wallets.find(({ name }) => name === lastWallet());
    if (!wallet || connected) return;
    connect(wallet, cluster, true).then(setConnected, () => undefined);
  }, [wallets, connected, cluster]);

  useEffect(() => {
    if (!connected) return undefined;
    return onAccount(connected, (next) => {
      setConnected(next && { ...connected, account: next, signer: signerOf(connected.wallet, next, cluster) });
    });
  }, [connected, cluster]);

  // Another wallet, or another network, begins with its own accounts.
  useEffect(() => {
    setPrincipal(null);
    choose(wallet === null ? 0 : storedAccount(wallet));
  }, [chain, wallet]);

  useEffect(() => chain?.setOwner(owner, wallet), [chain, owner, wallet]);

  const dismiss = useCallback((id: number) => setNotices((all) => all.filter((notice) => notice.id !== id)), []);
  const put = useCallback(
    (notice: Notice) => {
      // A liquidation in many steps is one piece of news, of which the last step is shown.
      const replaced = (old: Notice): boolean => old.id === notice.id || (notice.stage === 'forced' && old.stage === 'forced' && old.title === notice.title);
      setNotices((all) => latest([...all.filter((old) => !replaced(old)), notice]));
      if (notice.stage === 'done' || notice.stage === 'info') setTimeout(() => dismiss(notice.id), STAYS_MS);
    },
    [dismiss],
  );

  useEffect(() => {
    const hear = ({ title, detail, why }: Alarm): void =>
      put({ id: nextNotice++, title, detail, stage: 'forced', href: why ? whyHref(why.signature, why.event) : hrefOf({ page: 'why', market: '' }) });
    return chain?.onAlarm(hear);
  }, [chain, put]);

  const session = useMemo<Session | null>(() => {
    if (!chain) return null;
    const tell: Session['tell'] = (title, detail, stage = 'info') => put({ id: nextNotice++, title, detail, stage });
    return {
      cluster,
      setCluster: (next) => {
        storeCluster(next);
        setConnected(null);
        chooseCluster(next);
      },
      chain,
      wallets,
      connected,
      connect: async (wallet) => {
        try {
          setConnected(await connect(wallet, cluster));
        } catch (error) {
          const { title, detail } = trouble(error);
          tell(title, detail, 'failed');
        }
      },
      disconnect: () => {
        if (connected) void disconnect(connected);
        setConnected(null);
      },
      owner,
      own: owner === wallet,
      actFor: (next, number) => {
        setPrincipal(next);
        choose(next === null && wallet !== null ? storedAccount(wallet) : number);
      },
      account,
      setAccount: (number) => {
        choose(number);
        if (wallet !== null && owner === wallet) localStorage.setItem(chosenBy(wallet), String(number));
      },
      notices,
      dismiss,
      tell,
      run: async (title, build) => {
        if (!connected) return false;
        const id = nextNotice++;
        let sent: { signature?: string } = {};
        const show = (stage: Notice['stage'], detail = ''): void => put({ id, title, detail, stage, ...sent });
        try {
          const instructions = await build();
          await transact(chain, connected.signer, instructions, (stage, signature) => {
            if (signature) sent = { signature };
            if (stage !== 'failed') show(stage);
          });
          await chain.refresh().catch(() => undefined);
          return true;
        } catch (error) {
          const said = trouble(error);
          if (said instanceof Uncertain) show('unknown', said.detail);
          else show('failed', [said.title, said.detail].filter(Boolean).join('. ').replace('..', '.'));
          return false;
        }
      },
    };
  }, [chain, cluster, wallets, connected, owner, wallet, account, notices, dismiss, put]);

  return session && <Context value={session}>{children}</Context>;
}
