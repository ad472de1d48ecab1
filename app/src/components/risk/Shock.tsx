// What a shock of prices would do, for one market or several at once.
import { useDeferredValue, useId, useMemo, useState } from 'react';

import type { Census } from '../../lib/census';
import { price, shortAddress, size, share, usd, usdShort } from '../../lib/units';
import type { MarketInfo, MarketShock, ShockInfo } from '../../wasm/ballast_wasm';
import { Check } from '../Field';
import { move } from './Standing';

const MOST_PERCENT = 60;
const PPM = 10_000;
const LISTED = 12;
const STAGES: Record<string, string> = { partial: 'partial liquidation', takeover: 'takeover', bankrupt: 'bankrupt' };

export function Shock({ census, markets }: { census: Census; markets: readonly MarketInfo[] }) {
  const [together, setTogether] = useState(true);
  const [percents, setPercents] = useState<readonly number[]>(() => markets.map(() => -10));
  const wanted = useDeferredValue(percents);
  const outcome = useMemo((): ShockInfo | string => {
    const moves = markets.map(({ index }, at) => ({ market: index, ppm: BigInt((wanted[at] ?? 0) * PPM) }));
    try {
      return census.desk.shock({ moves, vault: census.vault });
    } catch (problem) {
      return (problem as { message?: string }).message ?? 'it cannot be computed';
    }
  }, [census, markets, wanted]);
  const set = (at: number, percent: number): void => setPercents(percents.map((before, other) => (together || other === at ? percent : before)));
  return (
    <section aria-label="What a shock would do" className="rounded border border-line bg-surface">
      <div className="border-b border-line p-3">
        <h2 className="font-medium">What a shock would do</h2>
        <p className="mt-1 max-w-3xl text-muted">
          Prices jump at once and resting orders with them. Whoever falls below maintenance margin is reduced on the book as it is; the price that takes moves the mark, which may reduce the next.
          What the book does not take is taken over; what insurance cannot pay is deleveraged.
        </p>
        <div className="mt-3 grid gap-x-6 gap-y-2 sm:grid-cols-2 lg:grid-cols-3">
          {markets.map((market, at) => (
            <Slider key={market.symbol} name={market.symbol} value={percents[at] ?? 0} onChange={(value) => set(at, value)} />
          ))}
          <div className="self-center">
            <Check
              label="All markets together"
              checked={together}
              onChange={(checked) => {
                setTogether(checked);
                if (checked) setPercents(percents.map(() => percents[0] ?? 0));
              }}
            />
          </div>
        </div>
      </div>
      {typeof outcome === 'string' ? <p className="p-3 text-warn">{outcome}</p> : <Effects outcome={outcome} markets={markets} census={census} />}
    </section>
  );
}

function Slider({ name, value, onChange }: { name: string; value: number; onChange: (value: number) => void }) {
  const id = useId();
  return (
    <div className="grid gap-1">
      <span className="flex justify-between">
        <label htmlFor={id}>{name}</label>
        <output htmlFor={id} className={`num font-medium ${value < 0 ? 'text-down' : value > 0 ? 'text-up' : 'text-muted'}`}>
          {move(BigInt(value * PPM), '')}
        </output>
      </span>
      <input
        id={id}
        type="range"
        min={-MOST_PERCENT}
        max={MOST_PERCENT}
        value={value}
        aria-valuetext={`${value} per cent`}
        className="w-full accent-(--accent)"
        onChange={({ target }) => onChange(Number(target.value))}
      />
    </div>
  );
}

function Effects({ outcome, markets, census }: { outcome: ShockInfo; markets: readonly MarketInfo[]; census: Census }) {
  const sum = (of: (market: MarketShock) => bigint): bigint => outcome.markets.reduce((total, market) => total + of(market), 0n);
  const bankrupt = outcome.accounts.filter(({ stage }) => stage === 'bankrupt').length;
  const [debt, insured, forgone] = [sum(({ badDebt }) => badDebt), sum((market) => market.insured), sum((market) => market.forgone)];
  const facts: [string, string, string][] = [
    ['Accounts liquidated', String(outcome.accounts.length), outcome.accounts.length > 0 ? 'text-warn' : 'text-up'],
    ['Bankrupt at once', String(bankrupt), bankrupt > 0 ? 'text-down' : ''],
    ['Closed on books', usdShort(sum(({ bookQuote }) => bookQuote)), ''],
    ['Taken over', usdShort(sum(({ takeoverQuote }) => takeoverQuote)), ''],
    ['Beyond accounts’ money', usdShort(debt), debt > 0n ? 'text-down' : ''],
    ['Insurance pays', `${usdShort(insured)} of ${usdShort(census.vault)}`, insured > 0n ? 'text-warn' : ''],
    ['Given up by deleveraged', usdShort(forgone), forgone > 0n ? 'text-down' : ''],
    ['Rounds', outcome.settled ? String(outcome.rounds.length) : `more than ${outcome.rounds.length}`, ''],
  ];
  return (
    <div data-testid="shock">
      <dl className="grid grid-cols-2 gap-x-6 gap-y-2 p-3 sm:grid-cols-4">
        {facts.map(([name, value, colour]) => (
          <div key={name}>
            <dt className="text-2xs text-muted">{name}</dt>
            <dd className={`num ${colour}`}>{value}</dd>
          </div>
        ))}
      </dl>
      <div className="overflow-x-auto" tabIndex={0} role="region" aria-label="By market">
        <table className="grid-table">
          <thead>
            <tr>
              <th scope="col">Market</th>
              <th scope="col" className="right">Mark</th>
              <th scope="col" className="right">Shocked</th>
              <th scope="col" className="right">Ends at</th>
              <th scope="col" className="right">On the book</th>
              <th scope="col" className="right">Taken over</th>
              <th scope="col" className="right">Bad debt</th>
              <th scope="col" className="right">Insured, of budget</th>
              <th scope="col" className="right">Deleveraged</th>
              <th scope="col" className="right">Of the side</th>
            </tr>
          </thead>
          <tbody>
            {outcome.markets.map((effect) => {
              const market = markets[effect.market];
              return market ? <Effect key={market.symbol} effect={effect} market={market} /> : null;
            })}
          </tbody>
        </table>
      </div>
      {outcome.accounts.length > 0 && (
        <details className="border-t border-line p-3">
          <summary className="link">Who falls ({outcome.accounts.length})</summary>
          <div className="mt-2 overflow-x-auto" tabIndex={0} role="region" aria-label="Who falls">
            <table className="grid-table">
              <thead>
                <tr>
                  <th scope="col">Account</th>
                  <th scope="col" className="right">Round</th>
                  <th scope="col">Falls to</th>
                  <th scope="col" className="right">Equity then</th>
                  <th scope="col" className="right">Maintenance margin</th>
                  <th scope="col" className="right">Closed</th>
                  <th scope="col" className="right">Lacking</th>
                </tr>
              </thead>
              <tbody>
                {outcome.accounts.slice(0, LISTED).map((fallen) => (
                  <tr key={fallen.account}>
                    <td className="font-mono text-2xs">{shortAddress(fallen.account)}</td>
                    <td className="num right">{fallen.round + 1}</td>
                    <td>{STAGES[fallen.stage] ?? fallen.stage}</td>
                    <td className="num right">{usd(fallen.equity)}</td>
                    <td className="num right">{usd(fallen.maintenance)}</td>
                    <td className="num right">{usdShort(fallen.closed)}</td>
                    <td className="num right">{fallen.badDebt === 0n ? '–' : usd(fallen.badDebt)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
            {outcome.accounts.length > LISTED && <p className="p-2 text-muted">and {outcome.accounts.length - LISTED} more</p>}
          </div>
        </details>
      )}
    </div>
  );
}

function Effect({ effect, market }: { effect: MarketShock; market: MarketInfo }) {
  const lots = (value: bigint): string => (value === 0n ? '–' : size(value, market));
  const deleveraged = effect.longsDeleveraged + effect.shortsDeleveraged;
  const side = effect.longsDeleveraged > 0n ? effect.longs : effect.shorts;
  return (
    <tr>
      <td>{market.symbol}</td>
      <td className="num right">{price(effect.mark, market)}</td>
      <td className="num right">{price(effect.shocked, market)}</td>
      <td className={`num right ${effect.end < effect.shocked ? 'text-down' : effect.end > effect.shocked ? 'text-up' : ''}`}>{price(effect.end, market)}</td>
      <td className="num right">{lots(effect.longsOnBook + effect.shortsOnBook)}</td>
      <td className="num right">{lots(effect.longsTakenOver + effect.shortsTakenOver)}</td>
      <td className={`num right ${effect.badDebt > 0n ? 'text-down' : ''}`}>{effect.badDebt === 0n ? '–' : usdShort(effect.badDebt)}</td>
      <td className="num right">{usdShort(effect.insured)} of {usdShort(effect.budget)}</td>
      <td className={`num right ${deleveraged > 0n ? 'text-down' : ''}`}>{lots(deleveraged)}</td>
      <td className="num right">{deleveraged === 0n ? '–' : share(deleveraged, side)}</td>
    </tr>
  );
}
