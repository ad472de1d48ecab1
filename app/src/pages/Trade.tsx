import { useState } from 'react';

import { Book, Trades } from '../components/Book';
import { AccountChoice } from '../components/Accounts';
import { Chart } from '../components/Chart';
import { Dismissed } from '../components/Entrusted';
import { Choice } from '../components/Choice';
import { MarketBar } from '../components/MarketBar';
import { Orders } from '../components/Orders';
import { Positions } from '../components/Positions';
import { Summary } from '../components/Summary';
import { Triggers } from '../components/Triggers';
import { Ticket } from '../components/ticket/Ticket';
import { useAccount, useAccounts, useOrders, useTriggers } from '../hooks/chain';
import { useSession } from '../hooks/session';
import type { MarketInfo } from '../wasm/ballast_wasm';

type Pane = 'chart' | 'book' | 'ticket';

/** Chart, order book, ticket and positions of one market. On a phone, one of the first three at a time. */
export function TradePage({ market }: { market: MarketInfo }) {
  const [picked, setPicked] = useState<{ price: bigint } | null>(null);
  const [pane, setPane] = useState<Pane>('chart');
  const [side, setSide] = useState<'book' | 'trades'>('book');
  const shown = (name: Pane): string => (pane === name ? '' : 'max-lg:hidden');
  return (
    <div className="grid gap-px bg-line lg:h-full lg:grid-rows-[auto_minmax(24rem,1fr)_minmax(11rem,auto)]">
      <MarketBar market={market} />
      <div className="panel p-1 lg:hidden">
        <Choice
          label="What to see"
          options={[
            ['chart', 'Chart'],
            ['book', 'Book'],
            ['ticket', 'Order'],
          ]}
          value={pane}
          onChange={setPane}
        />
      </div>
      <div className="grid min-h-0 gap-px lg:grid-cols-[minmax(0,1fr)_17rem_19rem] lg:grid-rows-[minmax(0,1fr)]">
        <div className={`panel min-h-0 overflow-hidden max-lg:h-[22rem] ${shown('chart')}`}>
          <Chart market={market} />
        </div>
        <div className={`panel flex min-h-0 flex-col max-lg:h-[32rem] ${shown('book')}`}>
          <div className="px-2 pt-1">
            <Choice
              label="Book or trades"
              options={[
                ['book', 'Book'],
                ['trades', 'Trades'],
              ]}
              value={side}
              onChange={setSide}
            />
          </div>
          <div className="min-h-0 flex-1">
            {side === 'book' ? (
              <Book
                market={market}
                onPrice={(price) => {
                  setPicked({ price });
                  setPane('ticket');
                }}
              />
            ) : (
              <Trades market={market} />
            )}
          </div>
        </div>
        <div className={`panel lg:overflow-y-auto ${shown('ticket')}`}>
          <Ticket market={market} picked={picked} />
        </div>
      </div>
      <Holdings />
    </div>
  );
}

type Tab = 'positions' | 'orders' | 'triggers' | 'summary';

/** What all of the owner's accounts hold, and which of them the ticket trades with. */
function Holdings() {
  const { connected, own } = useSession();
  const account = useAccount();
  const accounts = useAccounts();
  const orders = useOrders(accounts);
  const triggers = useTriggers(accounts);
  const [tab, setTab] = useState<Tab>('positions');
  const positions = accounts.reduce((sum, { positions: held }) => sum + held.filter(({ lots }) => lots !== 0n).length, 0);
  return (
    <section aria-label="Positions and orders" className="panel min-h-0 overflow-auto" tabIndex={0}>
      <div className="sticky left-0 flex flex-wrap items-center justify-between gap-x-4 gap-y-1 px-2 pt-1">
        <Choice
          label="What to see of the account"
          options={[
            ['positions', `Positions${positions ? ` ${positions}` : ''}`],
            ['orders', `Orders${orders.length ? ` ${orders.length}` : ''}`],
            ['triggers', `Protection${triggers.length ? ` ${triggers.length}` : ''}`],
            ['summary', 'Account'],
          ]}
          value={tab}
          onChange={setTab}
        />
        {accounts.length > 0 && <AccountChoice />}
      </div>
      {account ? (
        <>
          {tab === 'positions' && <Positions accounts={accounts} />}
          {tab === 'orders' && <Orders accounts={accounts} />}
          {tab === 'triggers' && <Triggers accounts={accounts} />}
          {tab === 'summary' && <Summary account={account} actions />}
        </>
      ) : !own ? (
        <Dismissed />
      ) : (
        <p className="p-3 text-muted">{connected ? 'This wallet has no margin account here yet. Deposit to open one.' : 'Connect a wallet to see positions and orders.'}</p>
      )}
    </section>
  );
}
