// The order ticket. What is typed becomes exact integers; what it would do is previewed by placing it on a copy of the
// market with the program's own functions.
import type { Instruction } from '@solana/kit';
import { useEffect, useState } from 'react';

import { useAccount, useAccounts, useDerived, usePaced, useTopic } from '../../hooks/chain';
import { useSession } from '../../hooks/session';
import { openAccount, transfer } from '../../lib/actions';
import { ACCOUNTS } from '../../lib/chain';
import { newClientId, placeOrder, type Orderer } from '../../lib/orders';
import { ofProgram } from '../../lib/problems';
import { placeTriggers, type TriggerInput } from '../../lib/protection';
import { abs, price, shortAddress, size, usd } from '../../lib/units';
import type { AccountInfo, MarketInfo, OrderInput } from '../../wasm/ballast_wasm';
import { accountName } from '../Accounts';
import { Choice } from '../Choice';
import { NumberField, Refusal, typed } from '../Field';
import { DepositDialog } from '../Money';
import { outcome } from '../TriggerFields';
import { EMPTY, bracketOf, isolatedMargin, isolatedMost, orderOf, stopOf, type Kind, type Measure, type TicketForm } from './form';
import { PreviewTable } from './PreviewTable';
import { SizeField } from './SizeField';
import { Bracket, Isolate, Terms } from './Terms';

/** How often a preview is computed anew while the book moves. */
const PREVIEW_MS = 250;
/** And where the most that is possible is searched for, too. */
const SEARCH_MS = 2_000;
const KINDS: [Kind, string][] = [
  ['market', 'Market'],
  ['limit', 'Limit'],
  ['stop', 'Stop'],
  ['pegged', 'Pegged'],
];

/** The largest leverage that a market's first margin tier allows, in hundredths. */
function mostLeverage({ tiers }: MarketInfo): bigint {
  const bps = BigInt(tiers[0]?.initialBps ?? 10_000);
  return bps === 0n ? 100n : 1_000_000n / bps;
}

/** The number for an isolated account: an empty one that exists, or the first that does not. */
export function freeNumber(accounts: readonly AccountInfo[]): number | null {
  for (let number = 1; number < ACCOUNTS; number++) {
    const account = accounts.find((info) => info.number === number);
    if (!account || (account.positions.length === 0 && account.settled === 0n)) return number;
  }
  return null;
}

export function Ticket({ market, picked }: { market: MarketInfo; picked: { price: bigint } | null }) {
  const { chain, run, connected, own } = useSession();
  const account = useAccount();
  const accounts = useAccounts();
  const [form, setForm] = useState<TicketForm>(EMPTY);
  const [sending, setSending] = useState(false);
  const [depositing, setDepositing] = useState(false);
  const pace = usePaced(`${useTopic(`book:${market.index}`)}/${useTopic('account')}/${useTopic('markets')}`, form.unit === 'percent' ? SEARCH_MS : PREVIEW_MS);
  const set = (change: Partial<TicketForm>): void => setForm((before) => ({ ...before, ...change }));

  useEffect(() => {
    if (picked) setForm((before) => ({ ...before, kind: before.kind === 'pegged' || before.kind === 'stop' ? before.kind : 'limit', limit: typed(price(picked.price, market)) }));
  }, [picked, market]);

  const { address, equity = 0n, withdrawable = 0n } = account ?? {};
  const now = chain.now();
  // Only the owner opens accounts and moves money between them.
  const number = own ? freeNumber(accounts) : null;
  const isolated = form.isolated && number !== null && form.kind !== 'stop';

  const measure = useDerived([chain, address, pace, market.index, form], (): Measure => {
    const blank: Measure = { market, most: 0n, equity, now };
    if (form.unit !== 'percent' || !address) return blank;
    if (isolated) return { ...blank, most: isolatedMost(withdrawable, form.leverage, market.takerFeePpm, market.mark) };
    // A search with some forty previews, so only where it is needed.
    const probe = orderOf({ ...form, unit: 'base', amount: typed(size(market.minLots, market)) }, blank);
    return { ...blank, most: typeof probe === 'string' ? 0n : (chain.ask((desk) => desk.maxLots(address, probe)) ?? 0n) };
  });

  const stop = form.kind === 'stop' ? stopOf(form, measure, account) : null;
  const plain = form.kind === 'stop' ? null : orderOf(form, measure);
  const value = plain !== null && typeof plain !== 'string' ? plain.lots * (form.kind === 'limit' ? plain.price : market.mark) : 0n;
  const margin = isolated ? isolatedMargin(value, form.leverage, market.takerFeePpm) : null;
  const order: OrderInput | string | null =
    plain === null || typeof plain === 'string' || !isolated ? plain : margin === null ? 'Enter a leverage.' : { ...plain, isolated: { number, collateral: margin } };
  const held = isolated ? 0n : (account?.positions.find((position) => position.market === market.index)?.lots ?? 0n);
  const bracket = order !== null && typeof order !== 'string' ? bracketOf(form, measure, order, held) : [];

  const { preview, failure } = useDerived([chain, pace, market.index, form, address], () => {
    if (order === null || typeof order === 'string' || !address) return { preview: null, failure: null };
    if (order.isolated && order.isolated.collateral > withdrawable) {
      return { preview: null, failure: { title: `The margin would be ${usd(order.isolated.collateral)}`, detail: `${account ? `Account ${account.number + 1}` : 'It'} can pay out ${usd(withdrawable)}. Use a higher leverage or a smaller size.` } };
    }
    return { preview: chain.ask((desk) => desk.preview(address, order)), failure: null };
  });
  const refusal = failure ?? (preview?.refusal ? ofProgram(preview.refusal) : null);
  const said = [order, stop, bracket].find((one) => typeof one === 'string');
  const ready = account !== null && said === undefined && refusal === null && (stop !== null || preview !== null);
  const side = form.buys ? 'Buy' : 'Sell';
  const typedSomething = form.amount !== '' || (form.kind === 'stop' && form.trigger !== '');

  // A second click is not a second order.
  const send = async (): Promise<void> => {
    if (!ready || sending) return;
    setSending(true);
    await submit().finally(() => setSending(false));
  };

  const submit = async (): Promise<void> => {
    if (!connected || account === null) return;
    const trader = connected.account.address;
    if (stop !== null && typeof stop !== 'string') {
      const done = await run(`Place a ${stop.stop ? 'stop' : 'take-profit'} at ${price(stop.price, market)}`, () => [placeTriggers(market, account, trader, stop)]);
      if (done) set({ amount: '', trigger: '' });
      return;
    }
    if (order === null || typeof order === 'string' || typeof bracket === 'string') return;
    const title = `${side} ${size(order.lots, market)} ${market.symbol}${form.kind === 'limit' ? ` at ${price(order.price, market)}` : ''}${order.isolated ? ', isolated' : accounts.length > 1 ? `, ${accountName(account)}` : ''}`;
    const done = await run(title, () => instructions(order, bracket, trader));
    if (done) set({ amount: '' });
  };

  /** Everything in one transaction: for an isolated position its account and its money first, then the order, then what protects it. */
  const instructions = (order: OrderInput, triggers: TriggerInput[], trader: string): Instruction[] => {
    const exchange = chain.exchange();
    if (!account || !exchange) return [];
    const list: Instruction[] = [];
    let orderer: Orderer = account;
    if (order.isolated) {
      const { number: target, collateral } = order.isolated;
      const margin = chain.addresses()[target]!;
      if (!accounts.some((info) => info.number === target)) list.push(openAccount(exchange, account.owner, margin, target));
      list.push(transfer(exchange, chain.markets(), account, margin, collateral));
      orderer = { address: margin, positions: [] };
    }
    const clientId = newClientId();
    list.push(placeOrder(chain.markets(), orderer, trader, order, clientId));
    const [first, second] = triggers;
    if (first) list.push(placeTriggers(market, orderer, trader, first, second ?? null, { clientId, held: abs(order.buys === held > 0n ? held : 0n) }));
    return list;
  };

  return (
    <>
      <form
        aria-label="Order"
        className="grid content-start gap-3 p-3"
        onSubmit={(event) => {
          event.preventDefault();
          void send();
        }}
      >
        <Sides buys={form.buys} onChange={(buys) => set({ buys })} />
        <Choice
          label="Order type"
          options={KINDS}
          value={form.kind}
          onChange={(kind) => {
            const reduceOnly = (kind === 'market' || kind === 'limit') && form.reduceOnly;
            const limit = kind === 'limit' ? form.limit || typed(price(market.mark, market)) : '';
            set({ kind, reduceOnly, limit });
          }}
        />
        {form.kind === 'limit' && <NumberField label="Price (USD)" value={form.limit} onChange={(limit) => set({ limit })} />}
        {form.kind === 'pegged' && (
          <div className="grid grid-cols-2 gap-2">
            <NumberField label="From the mark" unit="USD" placeholder={form.buys ? '−10' : '10'} value={form.offset} onChange={(offset) => set({ offset })} />
            <NumberField label={form.buys ? 'Never above' : 'Never below'} unit="USD" placeholder="band" value={form.limit} onChange={(limit) => set({ limit })} />
          </div>
        )}
        {form.kind === 'stop' && (
          <div className="grid grid-cols-2 gap-2">
            <NumberField label="Fires at" unit="USD" placeholder={price(market.mark, market)} value={form.trigger} onChange={(trigger) => set({ trigger })} />
            <NumberField label="Then limit" unit="USD" placeholder="market" value={form.limit} onChange={(limit) => set({ limit })} />
          </div>
        )}
        <SizeField symbol={market.symbol} unit={form.unit} amount={form.amount} placeholder={form.kind === 'stop' ? 'whole position' : '0'} parts={account !== null} onChange={set} />
        <Terms form={form} market={market} set={set} />
        {form.kind !== 'stop' && (
          <div className="grid gap-1.5 border-t border-line pt-2">
            <Bracket form={form} market={market} set={set} />
            <Isolate form={form} market={market} set={set} margin={margin} most={mostLeverage(market)} barred={account === null ? '' : whyNotIsolated(own, number)} />
          </div>
        )}
        {account && <GoesTo account={account} isolated={isolated ? number : null} exists={accounts.some((info) => info.number === number)} />}
        {account ? (
          <button type="submit" disabled={!ready || sending} className={`button py-2 ${form.buys ? 'bg-up text-bg' : 'bg-down text-bg'}`} data-testid="submit-order">
            {label(form, order, market)}
          </button>
        ) : (
          <button type="button" className="primary py-2" disabled={!connected || !own} onClick={() => setDepositing(true)}>
            {connected ? 'Deposit to trade' : 'Connect a wallet to trade'}
          </button>
        )}
        {account && said !== undefined && typedSomething && <p className="text-warn">{said}</p>}
        {refusal && <Refusal title={refusal.title} detail={refusal.detail} />}
        {stop !== null && typeof stop !== 'string' && account && <StopWords stop={stop} account={account} market={market} />}
        <PreviewTable market={market} order={order === null || typeof order === 'string' ? null : order} preview={preview} />
      </form>
      {depositing && <DepositDialog onClose={() => setDepositing(false)} />}
    </>
  );
}

/** Why a position cannot have an account of its own; `null` if it can. */
export function whyNotIsolated(own: boolean, number: number | null): string | null {
  if (!own) return 'Only the owner opens accounts.';
  return number === null ? `All ${ACCOUNTS} accounts are in use. Under Account, move what is left in one without a position back.` : null;
}

/** Which account the order goes to. */
export function GoesTo({ account, isolated, exists }: { account: AccountInfo; isolated: number | null; exists: boolean }) {
  const { own } = useSession();
  const from = <strong className="font-medium text-text">{accountName(account)}</strong>;
  return (
    <p className="text-muted" data-testid="goes-to">
      {isolated === null ? (
        <>Goes to {from}{own ? '' : ` of ${shortAddress(account.owner)}`}.</>
      ) : (
        <>Goes to <strong className="font-medium text-text">{accountName({ number: isolated })}</strong>{exists ? ', which is empty' : ', opened for it'}, with margin out of {from}.</>
      )}
    </p>
  );
}

/** What the button does. */
function label({ buys, kind }: TicketForm, order: OrderInput | string | null, market: MarketInfo): string {
  const side = buys ? 'Buy' : 'Sell';
  if (kind === 'stop') return `Place the stop to ${side.toLowerCase()}`;
  return `${side} ${order === null || typeof order === 'string' ? market.symbol : `${size(order.lots, market)} ${market.symbol}`}`;
}

function StopWords({ stop, account, market }: { stop: TriggerInput; account: AccountInfo; market: MarketInfo }) {
  const position = account.positions.find((held) => held.market === market.index);
  return (
    <p className="num border-t border-line pt-2 text-muted">
      {stop.stop ? 'A stop-loss' : 'A take-profit'}: reduces only, and goes with the position.
      {position && <span className="block">{outcome(position, stop.price, stop.lots, market)}</span>}
    </p>
  );
}

function Sides({ buys: chosen, onChange }: { buys: boolean; onChange: (buys: boolean) => void }) {
  return (
    <div role="group" aria-label="Side" className="grid grid-cols-2 gap-1 rounded bg-raised p-1">
      {[true, false].map((buys) => (
        <button
          key={String(buys)}
          type="button"
          aria-pressed={chosen === buys}
          onClick={() => onChange(buys)}
          className={`button py-1.5 ${chosen === buys ? (buys ? 'bg-up-soft text-up ring-1 ring-up' : 'bg-down-soft text-down ring-1 ring-down') : 'text-muted'}`}
        >
          {buys ? 'Buy / Long' : 'Sell / Short'}
        </button>
      ))}
    </div>
  );
}
