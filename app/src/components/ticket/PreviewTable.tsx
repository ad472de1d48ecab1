import { formatDecimal } from '../../lib/decimal';
import { averagePrice, percent, price, size, usd } from '../../lib/units';
import type { MarketInfo, OrderInput, Preview, Standing } from '../../wasm/ballast_wasm';
import { Change, Line } from '../Field';
import { entryPrice } from '../MarketBar';

/** Value over equity: how many times its money an account holds. */
function leverage({ notional, equity }: Standing): string {
  return equity <= 0n ? '–' : `${formatDecimal((notional * 100n) / equity, 2, { min: 2, max: 2 })}×`;
}

/** What of an order is neither filled nor rests, and why. */
export function Dropped({ preview: { dropped, makers, lacks }, market }: { preview: Preview; market: MarketInfo }) {
  if (dropped === 0n) return null;
  const why = { orders: ': the book has no more at that price', makers: `: one order meets ${makers} others at most`, own: ': it meets an own order', rest: ': too little, or nothing that is left to reduce, to rest' };
  return <Line name={`Not filled${lacks ? why[lacks] : ''}`} value={`${size(dropped, market)} ${market.symbol}`} warn />;
}

/** What an order would do: entry, fee, impact, margin and liquidation price before and after. */
export function PreviewTable({ market, order, preview }: { market: MarketInfo; order: OrderInput | null; preview: Preview | null }) {
  if (!order || !preview) return null;
  const { before, after, filled, quote, fee, rests, restsAt, makers, best, worst } = preview;
  const average = averagePrice(quote, filled);
  const against = average === null ? null : ((order.buys ? average - market.mark : market.mark - average) * 1_000_000n) / market.mark;
  const impact = best && worst ? ((order.buys ? worst - best : best - worst) * 1_000_000n) / best : null;
  const ratio = ({ marginRatioBps }: Standing): string => (marginRatioBps === undefined ? '–' : percent(marginRatioBps, 0));
  const liquidation = ({ liquidationPrice }: Standing): string => (liquidationPrice === undefined ? '–' : price(liquidationPrice, market));
  return (
    <dl className="grid gap-1 border-t border-line pt-2" data-testid="preview">
      {average !== null && (
        <>
          <Line name="Average entry" value={price(average, market)} testId="preview-entry" />
          <Line name="Against the mark" value={against === null ? '–' : `${formatDecimal(against, 4, { min: 3, max: 3, sign: true })} %`} />
          {impact !== null && <Line name="Price impact" value={`${formatDecimal(impact, 4, { min: 3, max: 3 })} %`} />}
          <Line name="Fills now" value={`${size(filled, market)} ${market.symbol}, ${makers} ${makers === 1 ? 'order' : 'orders'}`} />
        </>
      )}
      {rests > 0n && <Line name="Rests" value={`${size(rests, market)} ${market.symbol}${restsAt === undefined ? '' : ` at ${price(restsAt, market)}`}`} testId="preview-rests" />}
      <Dropped preview={preview} market={market} />
      <Line name="Fee" value={usd(fee, 4)} />
      <Change name="Position" before={size(before.lots, market)} after={size(after.lots, market)} />
      {after.lots !== 0n && <Line name="Entry afterwards" value={price(entryPrice(after.basis, after.lots), market)} />}
      <Change name="Leverage" before={leverage(before)} after={leverage(after)} />
      <Change name="Initial margin" before={usd(before.initial)} after={usd(after.initial)} />
      <Change name="Margin ratio" before={ratio(before)} after={ratio(after)} />
      <Change name="Liquidation price" before={liquidation(before)} after={liquidation(after)} testId="preview-liquidation" />
    </dl>
  );
}
