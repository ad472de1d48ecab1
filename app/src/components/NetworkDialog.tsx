// Which network the page talks to: a known one, or one that is typed, with its exchange, indexer and lookup tables.
import { useState, type ReactNode } from 'react';

import { useSession } from '../hooks/session';
import { message } from '../lib/chain';
import { CHAINS, CLUSTERS, addressList, clusterName, genesisChain, isLocalUrl, socketOf, stillLinked, type Cluster } from '../lib/cluster';
import { indexerBase } from '../lib/indexer';
import { Rpc } from '../lib/rpc';
import { Dialog } from './Dialog';
import { Select } from './Field';

/** What is typed. */
interface Typed {
  rpc: string;
  ws: string;
  exchange: string;
  indexer: string;
  tables: string;
  /** Empty: the server is asked. */
  chain: Cluster['chain'] | '';
}

function typedOf({ rpc, ws, exchange = '', indexer = '', tables = [], chain }: Cluster): Typed {
  return { rpc, ws, exchange, indexer, tables: tables.join(' '), chain };
}

/** The chain that a server is of, by its first block. */
async function askChain(rpc: string): Promise<Cluster['chain']> {
  let hash: string;
  try {
    hash = await new Rpc(rpc).call<string>('getGenesisHash');
  } catch (error) {
    throw new Error(`The server does not say which network it is of (${message(error)}): choose it here.`, { cause: error });
  }
  const chain = genesisChain(hash) ?? (isLocalUrl(rpc) ? 'solana:localnet' : null);
  if (!chain) throw new Error('The server is of a network that is not known here: choose for which one wallets shall sign.');
  return chain;
}

/** The network that is typed; throws what is wrong with it. */
async function clusterOf(typed: Typed, linked: Cluster['linked']): Promise<Cluster> {
  const { rpc, exchange } = typed;
  const ws = typed.ws || (URL.canParse(rpc) ? socketOf(rpc) : '');
  if (!URL.canParse(rpc) || !URL.canParse(ws)) throw new Error('That is not an address of a server.');
  const indexer = indexerBase(typed.indexer);
  if (typed.indexer.trim() !== '' && !indexer) throw new Error('That is not an address of an indexer.');
  const chain = typed.chain || (await askChain(rpc));
  const tables = addressList(typed.tables);
  return stillLinked({
    name: clusterName(rpc, chain),
    rpc,
    ws: new URL(ws).toString().replace(/\/$/, ''),
    chain,
    ...(exchange.trim() ? { exchange: exchange.trim() } : {}),
    ...(indexer ? { indexer } : {}),
    ...(tables.length > 0 ? { tables } : {}),
    ...(linked ? { linked } : {}),
  });
}

export function NetworkDialog({ onClose }: { onClose: () => void }) {
  const { cluster, setCluster } = useSession();
  const [typed, setTyped] = useState<Typed>(() => typedOf(cluster));
  const [left, setLeft] = useState('');
  const [state, setState] = useState<{ error: string; busy: boolean }>({ error: '', busy: false });
  const set = (change: Partial<Typed>): void => setTyped((before) => ({ ...before, ...change }));
  const choose = (known: Cluster): void => {
    // An indexer is of one network. What was typed is not dropped without a word.
    setLeft(typed.indexer);
    setTyped(typedOf(known));
  };
  const submit = async (): Promise<void> => {
    setState({ error: '', busy: true });
    try {
      setCluster(await clusterOf(typed, cluster.linked));
      onClose();
    } catch (error) {
      setState({ error: message(error), busy: false });
    }
  };
  return (
    <Dialog title="Network" onClose={onClose}>
      <form
        className="grid gap-3"
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        <div role="group" aria-label="Known networks" className="flex gap-1.5">
          {CLUSTERS.map((known) => (
            <button key={known.name} type="button" className={`plain flex-1 ${known.rpc === typed.rpc ? 'border-accent' : ''}`} aria-pressed={known.rpc === typed.rpc} onClick={() => choose(known)}>
              {known.name}
            </button>
          ))}
        </div>
        <Text label="RPC server" value={typed.rpc} onChange={(rpc) => set({ rpc, ws: '', chain: '' })} />
        <Select label="Network, for wallets" value={typed.chain} options={[['', 'ask the server'], ...CHAINS]} onChange={(chain) => set({ chain })} />
        <Text label="WebSocket server" value={typed.ws} placeholder="follows from the RPC server" onChange={(ws) => set({ ws })} />
        <Text label="Exchange" value={typed.exchange} placeholder="the network’s only one" onChange={(exchange) => set({ exchange })} />
        <Text label="Indexer" value={typed.indexer} placeholder="none" onChange={(indexer) => set({ indexer })}>
          {left && left !== typed.indexer && (
            <span role="status" className="text-warn">
              {left} was of the network before, and is left out.{' '}
              <button type="button" className="link" onClick={() => set({ indexer: left })}>Use it all the same</button>
            </span>
          )}
        </Text>
        <Text label="Lookup tables" value={typed.tables} placeholder={isLocalUrl(typed.rpc) ? 'found by itself' : 'none'} onChange={(tables) => set({ tables })} />
        {state.error && <p role="alert" className="text-down">{state.error}</p>}
        <button type="submit" className="primary" disabled={state.busy}>Connect</button>
      </form>
    </Dialog>
  );
}

function Text({ label, value, placeholder, onChange, children }: { label: string; value: string; placeholder?: string; onChange: (value: string) => void; children?: ReactNode }) {
  return (
    <div className="grid gap-1">
      <label className="grid gap-1">
        <span className="text-muted">{label}</span>
        <input className="field" value={value} placeholder={placeholder} onChange={({ target }) => onChange(target.value)} />
      </label>
      {children}
    </div>
  );
}
