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
  /** As wallets name it. */
  chain: `solana:${string}`;
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

/** Whether the server is on this machine, and so no network with real money: only there are a burner wallet and a faucet offered. */
export function isLocal(cluster: Cluster): boolean {
  try {
    const { hostname } = new URL(cluster.rpc);
    return cluster.chain === 'solana:localnet' && ['localhost', '127.0.0.1', '[::1]'].includes(hostname);
  } catch {
    return false;
  }
}

/** The WebSocket address that usually goes with an RPC address: one port higher where there is one. */
export function socketOf(rpc: string): string {
  const url = new URL(rpc);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  if (url.port !== '') url.port = String(Number(url.port) + 1);
  return url.toString().replace(/\/$/, '');
}

/** From the page's address (`?rpc=…&ws=…&exchange=…&indexer=…`), or as chosen before, or the local network. */
export function initialCluster(search: string, storage: Pick<Storage, 'getItem'>): Cluster {
  const query = new URLSearchParams(search);
  const rpc = query.get('rpc');
  const indexer = indexerBase(query.get('indexer'));
  const withIndexer = (cluster: Cluster): Cluster => (indexer ? { ...cluster, indexer } : cluster);
  if (rpc) {
    const exchange = query.get('exchange');
    const local = /^http:\/\/(localhost|127\.0\.0\.1|\[::1\])/.test(rpc);
    return withIndexer({
      name: local ? 'Localnet' : 'Custom',
      rpc,
      ws: query.get('ws') ?? socketOf(rpc),
      chain: local ? 'solana:localnet' : 'solana:mainnet',
      ...(exchange ? { exchange } : {}),
    });
  }
  try {
    const stored = JSON.parse(storage.getItem(STORED) ?? 'null') as Partial<Cluster> | null;
    if (stored?.rpc && stored.ws && stored.chain && stored.name) return withIndexer(stored as Cluster);
  } catch {
    // What is stored was written by something else.
  }
  return withIndexer(CLUSTERS[0]!);
}

/** Remembers the choice. */
export function storeCluster(cluster: Cluster): void {
  localStorage.setItem(STORED, JSON.stringify(cluster));
}
