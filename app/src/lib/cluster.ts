// Which network the page talks to.
import { indexerBase } from './indexer';

/** A network and how it is reached. */
export interface Cluster {
  name: string;
  rpc: string;
  ws: string;
  /** The exchange's address; the first one that the network has when it is not named. */
  exchange?: string;
  /** An indexer's interface; the page works without one. */
  indexer?: string;
  /** Lookup tables of the exchange's accounts, for transactions that are too large without. */
  tables?: string[];
  /** As wallets name it. */
  chain: `solana:${string}`;
  /** Servers of others that whoever made the link to the page chose, by host. Everything that is shown comes from them. */
  linked?: readonly string[];
}

const STORED = 'ballast.cluster';

/** The networks that are offered by name. */
export const CLUSTERS: Cluster[] = [
  { name: 'Localnet', rpc: 'http://127.0.0.1:8899', ws: 'ws://127.0.0.1:8900', chain: 'solana:localnet' },
  { name: 'Devnet', rpc: 'https://api.devnet.solana.com', ws: 'wss://api.devnet.solana.com', chain: 'solana:devnet' },
  {
    name: 'Mainnet',
    rpc: 'https://api.mainnet-beta.solana.com',
    ws: 'wss://api.mainnet-beta.solana.com',
    chain: 'solana:mainnet',
  },
];

/** The chains that wallets know, by their names. */
export const CHAINS: readonly (readonly [Cluster['chain'], string])[] = [
  ['solana:mainnet', 'Mainnet'],
  ['solana:devnet', 'Devnet'],
  ['solana:testnet', 'Testnet'],
  ['solana:localnet', 'Local'],
];

/** Chains by the first 32 characters of the hash of their first block, which is how CAIP-2 names them. */
const GENESIS: Record<string, Cluster['chain']> = {
  '5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp': 'solana:mainnet',
  EtWTRABZaYq6iMfeYKouRu166VU2xqa1: 'solana:devnet',
  '4uhcVJyU9pJkvQyS88uRDiswHXSCkY3z': 'solana:testnet',
};

/** The public chain whose first block has this hash. */
export function genesisChain(hash: string): Cluster['chain'] | null {
  return GENESIS[hash.slice(0, 32)] ?? null;
}

/** What a network is called: by its own name where it is a known one, otherwise by its chain. */
export function clusterName(rpc: string, chain: Cluster['chain']): string {
  const known = CLUSTERS.find((one) => one.chain === chain && (one.rpc === rpc || (isLocalUrl(one.rpc) && isLocalUrl(rpc))));
  return known?.name ?? `${CHAINS.find(([name]) => name === chain)?.[1] ?? 'Unknown'} (own server)`;
}

const LOCAL = ['localhost', '127.0.0.1', '[::1]'];

/** Whether an address is of this very machine. */
export function isLocalUrl(text: string): boolean {
  try {
    return LOCAL.includes(new URL(text).hostname);
  } catch {
    return false;
  }
}

/** Whether the server is on this machine, and so no network with real money: only there are a burner wallet and a faucet offered. */
export function isLocal(cluster: Cluster): boolean {
  return cluster.chain === 'solana:localnet' && isLocalUrl(cluster.rpc);
}

/** Where a transaction can be looked up: in the explorer, which asks the network's own server where it does not know the network. */
export function explorerLink({ chain, rpc }: Pick<Cluster, 'chain' | 'rpc'>, signature: string): string {
  const name = chain.replace('solana:', '');
  const asked: Record<string, string> = name === 'mainnet' ? {} : name === 'localnet' ? { cluster: 'custom', customUrl: rpc } : { cluster: name };
  const query = new URLSearchParams(asked).toString();
  return `https://explorer.solana.com/tx/${signature}${query && `?${query}`}`;
}

/** The WebSocket address that usually goes with an RPC address: one port higher where there is one. */
export function socketOf(rpc: string): string {
  const url = new URL(rpc);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  if (url.port !== '') url.port = String(Number(url.port) + 1);
  return url.toString().replace(/\/$/, '');
}

/** The hosts among these addresses that are not this machine, each once. */
function foreignHosts(urls: readonly (string | null)[]): string[] {
  return [...new Set(urls.flatMap((url) => (url && !isLocalUrl(url) && URL.canParse(url) ? new URL(url).host : [])))];
}

/** As it is once somebody has chosen here: what a link chose counts for as long as it is still asked. */
export function stillLinked({ linked = [], ...cluster }: Cluster): Cluster {
  const asked = foreignHosts([cluster.rpc, cluster.ws, cluster.indexer ?? null]);
  const left = linked.filter((host) => asked.includes(host));
  return left.length > 0 ? { ...cluster, linked: left } : cluster;
}

/** The addresses in a list that somebody typed or linked. */
export function addressList(text: string | null): string[] {
  return (text ?? '').split(/[\s,]+/).filter((one) => /^[1-9A-HJ-NP-Za-km-z]{32,44}$/.test(one));
}

/** From the page's address (`?rpc=…&ws=…&chain=…&exchange=…&indexer=…&lookup=…`), or as chosen before, or the local network. */
export function initialCluster(search: string, storage: Pick<Storage, 'getItem'>): Cluster {
  const query = new URLSearchParams(search);
  const rpc = query.get('rpc');
  const ws = rpc && query.get('ws');
  const indexer = indexerBase(query.get('indexer'));
  const tables = addressList(query.get('lookup'));
  const withLinked = (cluster: Cluster): Cluster =>
    stillLinked({ ...cluster, ...(indexer ? { indexer } : {}), ...(tables.length > 0 ? { tables } : {}), linked: [...new Set([...(cluster.linked ?? []), ...foreignHosts([rpc, cluster.ws === ws ? ws : null, indexer])])] });
  if (rpc && URL.canParse(rpc)) {
    const exchange = query.get('exchange');
    const asked = CHAINS.find(([name]) => name === `solana:${query.get('chain') ?? ''}`)?.[0];
    const chain = asked ?? (isLocalUrl(rpc) ? 'solana:localnet' : 'solana:mainnet');
    return withLinked({
      name: clusterName(rpc, chain),
      rpc,
      ws: ws ?? socketOf(rpc),
      chain,
      ...(exchange ? { exchange } : {}),
    });
  }
  try {
    const stored = JSON.parse(storage.getItem(STORED) ?? 'null') as Partial<Cluster> | null;
    if (stored?.rpc && stored.ws && stored.chain && stored.name) return withLinked(stored as Cluster);
  } catch {
    // What is stored was written by something else.
  }
  return withLinked(CLUSTERS[0]!);
}

/** Remembers the choice. */
export function storeCluster(cluster: Cluster): void {
  localStorage.setItem(STORED, JSON.stringify(cluster));
}
