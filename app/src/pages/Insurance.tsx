// What stands between a loss and those who won: the vault, each market's budget of it, and what came in and went out.
import { Download } from '../components/Download';
import { moment } from '../components/why/ForcedTable';
import { useMarkets } from '../hooks/chain';
import { useEvery, useIndexer, useRemote } from '../hooks/remote';
import { hrefOf } from '../hooks/route';
import { useSession } from '../hooks/session';
import { tokenBalance } from '../lib/census';
import type { Indexer, InsuranceEntry } from '../lib/indexer';
import { share, usd } from '../lib/units';
import type { MarketInfo } from '../wasm/ballast_wasm';

const KINDS: Record<InsuranceEntry['kind'], string> = {
  funded: 'Paid in',
  swept: 'Liquidation fees of a market',
  liquidation: 'Paid for a takeover',
  deleveraging: 'Paid before a deleveraging',
  bad_debt: 'Paid for a debt',
};

/** Entries of the history that are shown. */
const SHOWN = 200;
/** How often the history is read anew. */
const AGAIN_MS = 10_000;

export function InsurancePage() {
  const { chain } = useSession();
  const markets = useMarkets();
  const indexer = useIndexer();
  const vault = chain.exchange()?.insurance ?? '';
  // Draws and sweeps change the markets' accounts, which are watched.
  const causes = markets.map(({ insuranceDrawn, liquidatedQuote }) => `${insuranceDrawn}/${liquidatedQuote}`).join();
  const balance = useRemote(vault ? `${vault} ${causes}` : null, () => tokenBalance(chain, vault));
  const history = useRemote(indexer ? `${indexer.base} ${causes}` : null, () => indexer!.list<InsuranceEntry>('/insurance', { limit: SHOWN }));
  // The indexer has no channel for it, and is a little behind the node.
  useEvery(AGAIN_MS, history.again);
  const available = markets.reduce((sum, { insuranceAvailable }) => sum + insuranceAvailable, 0n);
  const drawn = markets.reduce((sum, { insuranceDrawn }) => sum + insuranceDrawn, 0n);
  return (
    <div className="mx-auto grid max-w-5xl gap-3 p-3">
      <div>
        <h1 className="text-base font-semibold">Insurance</h1>
        <p className="mt-1 max-w-3xl text-muted">
          When an account has lost more than it had, this vault pays the difference, so that whoever won is paid and nobody is deleveraged. Each market may draw only its own budget a day:
          one market’s crash cannot use up what protects the others.
        </p>
      </div>
      <dl className="grid grid-cols-2 gap-px overflow-hidden rounded border border-line bg-line sm:grid-cols-4" data-testid="vault">
        <Fact name="In the vault" value={balance.value === undefined ? (balance.failure ? 'unknown' : '…') : usd(balance.value)} large />
        <Fact name="Budgets left today, all markets" value={usd(available)} />
        <Fact name="Paid out so far" value={usd(drawn)} />
        <Fact name="Vault’s address" value={vault} mono />
      </dl>
      {balance.value !== undefined && balance.value < available && (
        <p role="status" className="rounded border border-warn/40 bg-warn-soft p-3 text-warn">
          The vault holds less than the budgets allow: beyond {usd(balance.value)}, losses are deleveraged whatever the budgets say.
        </p>
      )}
      <section aria-label="Budgets" className="overflow-x-auto rounded border border-line bg-surface" tabIndex={0}>
        <h2 className="px-3 pt-2 font-medium">Budgets today</h2>
        <table className="grid-table">
          <thead>
            <tr>
              <th scope="col">Market</th>
              <th scope="col" className="right">Limit a day</th>
              <th scope="col" className="right">Left now</th>
              <th scope="col" className="w-1/4">Used</th>
              <th scope="col" className="right">Paid out so far</th>
              <th scope="col" className="right">Liquidated so far</th>
            </tr>
          </thead>
          <tbody>
            {markets.map((market) => <Budget key={market.symbol} market={market} />)}
          </tbody>
        </table>
        <p className="border-t border-line px-3 py-2 text-muted">What is used comes back evenly over a day.</p>
      </section>
      <section aria-label="History" className="rounded border border-line bg-surface">
        <h2 className="px-3 pt-2 font-medium">Income and payments</h2>
        {!indexer ? (
          <p className="p-3 text-muted">The node does not remember them. With an indexer (indexer=… in the page’s address) they are listed here.</p>
        ) : history.failure ? (
          <p className="p-3 text-warn">The indexer does not answer: {history.failure}.</p>
        ) : (
          <History rows={history.value} markets={markets} indexer={indexer} />
        )}
      </section>
      <section aria-label="Stake" className="rounded border border-line bg-surface p-3">
        <h2 className="font-medium">Stake</h2>
        <p className="mt-1 text-muted">
          There is no staking yet: the program has no instruction for it. What is in the vault came from liquidation fees and from whoever paid in, and nobody has a share in it. The rules for shares,
          and for the time that leaving will take, are part of the risk model already; no key can pay the vault out.
        </p>
      </section>
    </div>
  );
}

function Fact({ name, value, large = false, mono = false }: { name: string; value: string; large?: boolean; mono?: boolean }) {
  return (
    <div className="min-w-0 bg-surface p-3">
      <dt className="text-2xs text-muted">{name}</dt>
      <dd className={`${mono ? 'break-all font-mono text-2xs' : 'num'} ${large ? 'text-lg font-semibold' : ''}`}>{value}</dd>
    </div>
  );
}

function Budget({ market }: { market: MarketInfo }) {
  const used = market.insuranceLimit - market.insuranceAvailable;
  const bps = market.insuranceLimit === 0n ? 0 : Number((used * 10_000n) / market.insuranceLimit) / 100;
  return (
    <tr>
      <td>
        <a className="link" href={hrefOf({ page: 'risk', market: market.symbol })}>{market.symbol}</a>
      </td>
      <td className="num right">{usd(market.insuranceLimit)}</td>
      <td className="num right">{usd(market.insuranceAvailable)}</td>
      <td>
        <span className="flex items-center gap-2">
          <span className="h-1.5 flex-1 overflow-hidden rounded bg-line">
            <span className={`block h-full ${bps > 80 ? 'bg-down' : bps > 40 ? 'bg-warn' : 'bg-up'}`} style={{ width: `${bps}%` }} />
          </span>
          <span className="num text-muted">{share(used, market.insuranceLimit, 1)}</span>
        </span>
      </td>
      <td className="num right">{usd(market.insuranceDrawn)}</td>
      <td className="num right">{usd(market.liquidatedQuote)}</td>
    </tr>
  );
}

function History({ rows, markets, indexer }: { rows: readonly InsuranceEntry[] | undefined; markets: readonly MarketInfo[]; indexer: Indexer }) {
  if (!rows) return <p className="p-3 text-muted">Loading.</p>;
  if (rows.length === 0) return <p className="p-3 text-muted">Nothing has come in or gone out yet.</p>;
  return (
    <>
      <div className="max-h-96 overflow-auto" tabIndex={0} role="region" aria-label="Income and payments, newest first">
        <table className="grid-table">
          <thead>
            <tr>
              <th scope="col">Time</th>
              <th scope="col">What</th>
              <th scope="col">Market</th>
              <th scope="col" className="right">Amount</th>
              <th scope="col" className="right">Vault afterwards</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => {
              const amount = BigInt(row.amount);
              return (
                <tr key={row.id}>
                  <td className="num text-muted">{moment(row.time)}</td>
                  <td>{KINDS[row.kind]}</td>
                  <td>{markets.find(({ address }) => address === row.market)?.symbol ?? '–'}</td>
                  <td className={`num right ${amount < 0n ? 'text-down' : 'text-up'}`}>{usd(amount, 2, true)}</td>
                  <td className="num right">{usd(BigInt(row.balance))}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
      <p className="border-t border-line px-3 py-2 text-muted">
        {rows.length === SHOWN && `The newest ${SHOWN}. `}All of it as <Download indexer={indexer} path="/insurance" name="insurance.csv" />
      </p>
    </>
  );
}
