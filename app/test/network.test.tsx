// Choosing a network: wallets are offered for the chain that the server really is of, and nothing that was typed is lost silently.
import './wasm';

import { fireEvent, render, screen, waitFor } from '@testing-library/react';
import { beforeEach, describe, expect, it, vi } from 'vitest';

import { NetworkDialog } from '../src/components/NetworkDialog';
import { genesisChain, type Cluster } from '../src/lib/cluster';

const DEVNET = 'EtWTRABZaYq6iMfeYKouRu166VU2xqa1wcaWoxPkrZBG';
const LOCAL: Cluster = { name: 'Localnet', rpc: 'http://127.0.0.1:8899', ws: 'ws://127.0.0.1:8900', chain: 'solana:localnet' };

const state = vi.hoisted(() => ({ cluster: {}, chosen: [] as unknown[] }));
vi.mock('../src/hooks/session', () => ({ useSession: () => ({ cluster: state.cluster, setCluster: (next: unknown) => state.chosen.push(next) }) }));

let genesis: string | null;
beforeEach(() => {
  Object.assign(state, { cluster: LOCAL, chosen: [] });
  genesis = DEVNET;
  // jsdom knows the element, but not its methods.
  HTMLDialogElement.prototype.showModal = function showModal() {
    this.open = true;
  };
  vi.stubGlobal('fetch', (_: string, { body }: { body: string }) => {
    const { id, method } = JSON.parse(body) as { id: number; method: string };
    expect(method).toBe('getGenesisHash');
    return genesis === null ? Promise.reject(new Error('refused')) : Promise.resolve({ json: () => Promise.resolve({ id, result: genesis }) });
  });
});

const type = (label: string, value: string) => fireEvent.change(screen.getByLabelText(label), { target: { value } });
const connect = () => fireEvent.click(screen.getByRole('button', { name: 'Connect' }));
const chosen = (): Promise<unknown> => waitFor(() => expect(state.chosen).toHaveLength(1)).then(() => state.chosen[0]);

describe('a server that is typed', () => {
  it('is asked which chain it is of', async () => {
    render(<NetworkDialog onClose={() => undefined} />);
    type('RPC server', 'https://rpc.example.org');
    connect();
    expect(await chosen()).toEqual({ name: 'Devnet (own server)', rpc: 'https://rpc.example.org', ws: 'wss://rpc.example.org', chain: 'solana:devnet' });
  });

  it('on this machine is no local network when it is of a public one', async () => {
    render(<NetworkDialog onClose={() => undefined} />);
    type('RPC server', 'http://localhost:9999');
    connect();
    expect(await chosen()).toMatchObject({ chain: 'solana:devnet' });
  });

  it('of an unknown network is local on this machine; elsewhere it has to be said which wallets sign for it', async () => {
    genesis = '11111111111111111111111111111111';
    expect(genesisChain(genesis)).toBeNull();
    const { unmount } = render(<NetworkDialog onClose={() => undefined} />);
    type('RPC server', 'http://localhost:9999');
    connect();
    expect(await chosen()).toMatchObject({ chain: 'solana:localnet', ws: 'ws://localhost:10000' });
    unmount();
    state.chosen = [];
    render(<NetworkDialog onClose={() => undefined} />);
    type('RPC server', 'https://rpc.example.org');
    connect();
    expect(await screen.findByRole('alert')).toHaveTextContent('not known here');
    fireEvent.change(screen.getByLabelText('Network, for wallets'), { target: { value: 'solana:devnet' } });
    connect();
    expect(await chosen()).toMatchObject({ chain: 'solana:devnet' });
  });

  it('that does not answer is not guessed about', async () => {
    genesis = null;
    render(<NetworkDialog onClose={() => undefined} />);
    type('RPC server', 'https://rpc.example.org');
    connect();
    expect(await screen.findByRole('alert')).toHaveTextContent('choose it here');
    expect(state.chosen).toEqual([]);
    type('RPC server', 'nonsense');
    connect();
    await waitFor(() => expect(screen.getByRole('alert')).toHaveTextContent('not an address of a server'));
  });
});

describe('an indexer', () => {
  it('can be named, with tables, and stays with its network', async () => {
    render(<NetworkDialog onClose={() => undefined} />);
    type('Indexer', 'http://127.0.0.1:8898');
    type('Lookup tables', '9WzDXwBbmkg8ZTbNMqUxvQRAyrZzDsGYdLVL9zYtAWWM');
    connect();
    expect(await chosen()).toEqual({ ...LOCAL, indexer: 'http://127.0.0.1:8898/v1', tables: ['9WzDXwBbmkg8ZTbNMqUxvQRAyrZzDsGYdLVL9zYtAWWM'] });
  });

  it('is left out with another network, which is said, and can be kept', async () => {
    state.cluster = { ...LOCAL, indexer: 'https://indexer.example.org/v1' };
    render(<NetworkDialog onClose={() => undefined} />);
    fireEvent.click(screen.getByRole('button', { name: 'Devnet' }));
    expect(screen.getByLabelText('Indexer')).toHaveValue('');
    expect(screen.getByRole('status')).toHaveTextContent('https://indexer.example.org/v1 was of the network before');
    fireEvent.click(screen.getByRole('button', { name: 'Use it all the same' }));
    connect();
    expect(await chosen()).toMatchObject({ name: 'Devnet', chain: 'solana:devnet', indexer: 'https://indexer.example.org/v1' });
  });

  it('that is none is refused', async () => {
    render(<NetworkDialog onClose={() => undefined} />);
    type('Indexer', 'javascript:alert(1)');
    connect();
    expect(await screen.findByRole('alert')).toHaveTextContent('not an address of an indexer');
  });
});
