import { useMarkets, useNow } from '../hooks/chain';
import { hrefOf } from '../hooks/route';
import { averagePrice, price, rate, size, usdShort } from '../lib/units';
import type { MarketInfo } from '../wasm/ballast_wasm';
import type { ReactNode } from 'react';

const STATES: Record<string, string> = { active: 'Open', reduceOnly: 'Reduce only', paused: 'Paused' };

/** Seconds until the next full hour, at which the rate that is shown has been paid once. */
export function untilFullHour(unix: number): string {
  const left = 3_600 - (unix % 3_600);
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${two(Math.floor(left / 60))}:${two(left % 60)}`;
}

function Fact({ name, title, children }: { name: string; title: string; children: ReactNode }) {
  return (
    <div className="shrink-0">
      <dt className="text-2xs text-muted" title={title}>{name}</dt>
      <dd className="num">{children}</dd>
    </div>
  );
}

/** The market's state in a line. */
export function MarketBar({ market }: { market: MarketInfo }) {
  const markets = useMarkets();
  const now = useNow();
  const age = Math.max(0, now - Number(market.oracleTime));
  const interest = market.openInterest ?? 0n;
  const long = market.fundingRatePpb >= 0n;
  return (
    <div className="panel flex items-center gap-5 overflow-x-auto border-b border-line px-3 py-1.5" tabIndex={0} role="region" aria-label="Market">
      <h1 className="sr-only">{market.symbol} perpetual</h1>
      <label className="shrink-0">
        <span className="sr-only">Market</span>
        <select
          className="cursor-pointer rounded border border-line bg-raised py-1.5 pr-1 pl-2 font-semibold"
          value={market.symbol}
          onChange={({ target }) => {
            window.location.hash = hrefOf({ page: 'trade', market: target.value });
          }}
        >
          {markets.map(({ symbol }) => (
            <option key={symbol} value={symbol}>{symbol}-PERP</option>
          ))}
        </select>
      </label>
      <dl className="flex items-center gap-5">
        <div className="num shrink-0 text-lg font-semibold" title="The price that positions are valued at">
          <dt className="sr-only">Mark</dt>
          <dd data-testid="mark">{price(market.mark, market)}</dd>
        </div>
        <Fact name="Index" title="The oracle’s price">{price(market.oracle, market)}</Fact>
        <Fact name="Funding / next hour" title={`An hour’s rate; ${long ? 'longs pay shorts' : 'shorts pay longs'}. It accrues every second.`}>
          <span className={long ? 'text-up' : 'text-down'}>{rate(market.fundingRatePpb)}</span>
          <span className="text-muted"> {untilFullHour(now)}</span>
        </Fact>
        <Fact name="Open interest" title="Longs’ positions in the ranking index">
          {size(interest, market)} {market.symbol} <span className="text-muted">{usdShort(interest * market.mark)}</span>
        </Fact>
        <Fact name="Price age" title="Seconds since the oracle’s price was published">
          <span className={market.openRefusal ? 'text-warn' : ''}>{age} s</span>
        </Fact>
        <Fact name="Market" title="What may be done">
          <span className={market.status === 'active' ? '' : 'text-warn'}>{STATES[market.status] ?? market.status}</span>
        </Fact>
      </dl>
    </div>
  );
}

/** The average entry price of a position. */
export function entryPrice(basis: bigint, lots: bigint): bigint {
  return averagePrice(basis, lots) ?? 0n;
}
