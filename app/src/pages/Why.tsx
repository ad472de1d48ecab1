// Why somebody was reduced by force: each number as the program recorded it, beside the same number computed anew from the
// transaction; and the list of all that the node, or an indexer, remembers.
import { useMemo } from 'react';

import { ForcedTable, moment } from '../components/why/ForcedTable';
import { Ranking } from '../components/why/Ranking';
import { Overall, Verdict } from '../components/why/Verdict';
import { headline, wordsOf } from '../components/why/words';
import { useAccount, useMarkets, useTopic } from '../hooks/chain';
import { useIndexer, useRemote } from '../hooks/remote';
import type { Route } from '../hooks/route';
import { useSession } from '../hooks/session';
import type { Forced } from '../lib/forced';
import { eventOf, type IndexedDeleveraging, type Indexer, type Item, type Rows } from '../lib/indexer';
import { price, size, usd } from '../lib/units';
import { transaction, type PastTransaction } from '../lib/transactions';
import type { MarketInfo, WhyInfo } from '../wasm/ballast_wasm';

const TITLES: Record<string, string> = { liquidation: 'Liquidation', takeover: 'Takeover', deleveraging: 'Deleveraging' };

export function WhyPage({ route }: { route: Route }) {
  return route.signature ? <Explanation signature={route.signature} event={route.event} /> : <Recent />;
}

/** A forced reduction as an indexer tells it. */
function forcedOf(row: Rows['liquidations'] | IndexedDeleveraging, market: number): Forced {
  const { id, kind, account, signature, time } = row;
  const [lots, insuranceDrawn] = [BigInt(row.lots), BigInt(row.insurance_drawn)];
  const common = { index: eventOf(id), kind, market, account, lots, insuranceDrawn, signature, time };
  // What is closed of a bankrupt account stands against what is reduced.
  return row.kind === 'deleveraging'
    ? { ...common, long: row.reduced === 'short', quote: BigInt(row.price) * lots }
    : { ...common, long: row.side === 'long', quote: BigInt(row.quote) };
}

async function indexed(indexer: Indexer, markets: readonly MarketInfo[]): Promise<Forced[]> {
  const lists = markets.flatMap(({ address, index }) =>
    (['liquidations', 'deleveragings'] as const).map(async (kind): Promise<Forced[]> => {
      const rows = await indexer.list<Rows['liquidations'] | IndexedDeleveraging>(`/markets/${address}/${kind}`, { limit: 100 });
      return rows.filter(({ lots }) => lots !== '0').map((row) => forcedOf(row, index));
    }),
  );
  return (await Promise.all(lists)).flat();
}

/** All forced reductions that are known, newest first. */
function Recent() {
  const { chain } = useSession();
  const markets = useMarkets();
  const account = useAccount();
  const indexer = useIndexer();
  const version = useTopic('forced');
  const remembered = useRemote(indexer && markets.length > 0 ? indexer.base : null, () => indexed(indexer!, markets));
  const exchange = chain.exchange();
  const places = [exchange?.insurance, account?.address, ...markets.map(({ address }) => address)].filter((address) => address !== undefined).join();
  const past = useRemote(places || null, async () => chain.forced?.load(places.split(',')) ?? Promise.resolve());
  const rows = useMemo(() => {
    const known = new Map<string, Forced>();
    for (const row of [...(remembered.value ?? []), ...(chain.forced?.rows() ?? [])]) known.set(`${row.signature}-${row.index}`, row);
    return [...known.values()].sort((a, b) => b.time - a.time).slice(0, 300);
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [chain, version, remembered.value]);
  return (
    <div className="mx-auto grid max-w-7xl gap-3 p-3">
      <div>
        <h1 className="text-base font-semibold">Why was a position reduced?</h1>
        <p className="mt-1 max-w-3xl text-muted">
          Nobody chooses whom to reduce: the program computes it from the account, the market and the ranking index, and records in the transaction what it decided and from which numbers. Each entry opens its
          explanation, which fetches the transaction from the node and computes every number anew in your browser.
        </p>
      </div>
      <section aria-label="Forced reductions" className="overflow-x-auto rounded border border-line bg-surface" tabIndex={0}>
        <ForcedTable
          rows={rows}
          markets={markets}
          empty={past.value === undefined && past.failure === '' && places ? 'Looking through the node’s transactions.' : 'Nobody has been reduced by force, as far as is known here.'}
        />
      </section>
      <p className="text-muted">
        {indexer
          ? remembered.failure
            ? `The indexer does not answer (${remembered.failure}): only what the node remembers is shown.`
            : 'From the indexer and the node’s memory.'
          : 'From the node’s own memory, which reaches back some hundred transactions. An indexer (indexer=… in the page’s address) remembers everything.'}
        {past.failure && ` The node’s past could not be read: ${past.failure}.`}
      </p>
    </div>
  );
}

/** An indexer's id rather than a signature. */
function isId(text: string): boolean {
  return /^\d+-\d+-\d+(-\d+)?$/.test(text);
}

function Explanation({ signature, event }: { signature: string; event: number | undefined }) {
  const { chain } = useSession();
  const markets = useMarkets();
  const account = useAccount();
  const indexer = useIndexer();
  const version = useTopic('status');
  const found = useRemote(`${signature} ${chain.cluster.rpc}`, async (): Promise<{ past: PastTransaction | null; index: number }> => {
    if (!isId(signature)) return { past: await transaction(chain.rpc, signature), index: event ?? 0 };
    if (!indexer) throw new Error('this address names an event of an indexer, and there is none');
    const whole = await indexer.get<Item>(`/deleveragings/${signature}`);
    return { past: await transaction(chain.rpc, whole.signature), index: eventOf(whole.id) };
  });
  const { past, index } = found.value ?? { past: null, index: 0 };
  const info = useMemo((): WhyInfo | string | null => {
    if (!past) return null;
    const asked = chain.ask((desk) => {
      try {
        return desk.why(past.whole, index, true);
      } catch (problem) {
        return (problem as { message?: string }).message ?? 'it cannot be explained';
      }
    });
    if (asked === null || typeof asked === 'string') return asked;
    // Whoever had something in another market had to name it in the transaction.
    const others = chain.markets().some(({ index: other, address }) => other !== asked.market && past.accounts.includes(address));
    return others ? chain.ask((desk) => desk.why(past.whole, index, false)) : asked;
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [chain, past, index, version]);
  if (found.failure) return <Message title="This cannot be explained now" text={found.failure} />;
  if (!found.value) return <Message title="Fetching the transaction" text={signature} />;
  if (!past) return <Message title="The node does not know this transaction" text="It may be too old for this node; a node with a longer memory can explain it." />;
  if (info === null || typeof info === 'string') return <Message title="Nobody was reduced by this" text={info ?? signature} />;
  const market = markets[info.market];
  if (!market) return null;
  return (
    <article className="mx-auto grid max-w-5xl gap-3 p-3">
      <div>
        <a href="#/why" className="link">All forced reductions</a>
        <h1 className="mt-1 text-base font-semibold">
          {TITLES[info.kind]} in {market.symbol}
        </h1>
        <p className="text-muted">
          {past.time > 0 && <time dateTime={new Date(past.time * 1_000).toISOString()}>{moment(past.time)}</time>}, slot {past.slot.toLocaleString('en-US')}
        </p>
        <p className="mt-2 max-w-3xl">{headline(info, market)}</p>
      </div>
      <Overall lines={info.lines} />
      <Facts info={info} market={market} own={account?.address === info.account} />
      <Numbers info={info} market={market} />
      {info.ranking && <Ranking ranking={info.ranking} market={market} account={account} />}
      <section aria-label="Source" className="rounded border border-line bg-surface p-3 text-muted">
        <h2 className="font-medium text-text">Where the numbers come from</h2>
        <p className="mt-1">
          Transaction <span className="break-all font-mono text-2xs">{past.signature}</span>, event {index}. Account <span className="break-all font-mono text-2xs">{info.account}</span>
          {info.credited && <>; credited <span className="break-all font-mono text-2xs">{info.credited}</span></>}. Rates and limits are the market’s present parameters.
        </p>
      </section>
    </article>
  );
}

function Message({ title, text }: { title: string; text: string }) {
  return (
    <div className="grid h-full place-items-center p-6 text-center">
      <div className="min-w-0 max-w-xl">
        <h1 className="text-base font-medium">{title}</h1>
        <p className="mt-1 break-all text-muted">{text}</p>
        <p className="mt-3"><a href="#/why" className="link">All forced reductions</a></p>
      </div>
    </div>
  );
}

function Facts({ info, market, own }: { info: WhyInfo; market: MarketInfo; own: boolean }) {
  const facts: [string, string][] = [
    ['Mark at which it was judged', price(info.mark, market)],
    ['Equity', usd(info.equity)],
    ['Needed (maintenance margin)', usd(info.maintenance)],
    ['Position', `${size(info.position, market)} ${market.symbol}`],
    ...(info.collateral === undefined ? [] : [['Settled money', usd(info.collateral)] as [string, string]]),
    ...(info.unsettled ? [['Realised, not settled', usd(info.unsettled, 2, true)] as [string, string]] : []),
    ['Closed', `${size(info.lots, market)} ${market.symbol}`],
    ['Orders cancelled', String(info.ordersCancelled)],
    ['Insurance paid', usd(info.insuranceDrawn)],
  ];
  return (
    <section aria-label="The account" className="rounded border border-line bg-surface p-3">
      <h2 className="mb-2 font-medium">{own ? 'Your account' : 'The account'} just before</h2>
      <dl className="grid grid-cols-2 gap-x-6 gap-y-2 sm:grid-cols-4">
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt className="text-2xs text-muted">{name}</dt>
            <dd className="num">{value}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

function Numbers({ info, market }: { info: WhyInfo; market: MarketInfo }) {
  return (
    <section aria-label="Every number" className="overflow-x-auto rounded border border-line bg-surface" tabIndex={0}>
      <h2 className="px-3 pt-2 font-medium">Every number, recorded and computed anew</h2>
      <table className="grid-table" data-testid="numbers">
        <thead>
          <tr>
            <th scope="col">Number</th>
            <th scope="col" className="right">The program recorded</th>
            <th scope="col" className="right">Computed here</th>
            <th scope="col">Verdict</th>
          </tr>
        </thead>
        <tbody>
          {info.lines.map((line) => {
            const { name, how, show } = wordsOf(line, info, market);
            return (
              <tr key={line.what} data-what={line.what}>
                <td className="max-w-md min-w-44 whitespace-normal!">
                  <span className="font-medium">{name}</span>
                  <span className="block text-2xs text-muted">{how}</span>
                </td>
                <td className="num right align-top">{show(line.logged)}</td>
                <td className="num right align-top">
                  {line.computed === undefined ? '–' : `${line.verdict === 'within' ? (line.what === 'worstPrice' && info.position > 0n ? 'at least ' : 'at most ') : ''}${show(line.computed)}`}
                </td>
                <td className="align-top"><Verdict verdict={line.verdict} /></td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </section>
  );
}
