import { useState } from 'react';

import { useLevels } from '../hooks/chain';
import { useSession } from '../hooks/session';
import { parseSigned } from '../lib/decimal';
import { replaceOrder, replacement, wouldTake } from '../lib/orders';
import { parsePrice, parseSize, price, priceScale, size } from '../lib/units';
import { formatDecimal } from '../lib/decimal';
import type { AccountInfo, MarketInfo, OpenOrder } from '../wasm/ballast_wasm';
import { Dialog } from './Dialog';
import { Check, NumberField, typed } from './Field';

interface Props {
  account: AccountInfo;
  order: OpenOrder;
  market: MarketInfo;
  onClose: () => void;
}

/**
 * Puts a new order in the place of a resting one. With nothing but a smaller size it keeps its place in the queue. It rests as the
 * old one did: one that would take is refused, unless that is allowed here.
 */
export function ReplaceDialog({ account, order, market, onClose }: Props) {
  const { chain, run, connected } = useSession();
  const scale = priceScale(market);
  const [priceText, setPrice] = useState(typed(price(order.price, market)));
  const [sizeText, setSize] = useState(typed(size(order.lots, market)));
  const [pegText, setPeg] = useState(order.peg === undefined ? '' : typed(formatDecimal(order.peg, scale)));
  const [take, setTake] = useState(false);
  const levels = useLevels(market.index, 1, market.tick);
  const limit = parsePrice(priceText, market);
  const lots = parseSize(sizeText, market);
  const peg = order.peg === undefined ? undefined : parseSigned(pegText, scale);
  const valid = limit !== null && limit > 0n && lots !== null && lots >= market.minLots && peg !== null;
  const keeps = valid && limit === order.price && peg === order.peg && lots <= order.lots;
  const takes = valid && !keeps && wouldTake(order, limit, peg, levels);
  const submit = async (): Promise<void> => {
    if (!connected || !valid) return;
    const next = replacement(order, market, { limit, lots, peg, take });
    onClose();
    await run(`Replace by ${size(lots, market)} ${market.symbol} at ${price(limit, market)}`, () => [
      replaceOrder(chain.markets(), account, connected.account.address, order, next),
    ]);
  };
  return (
    <Dialog title={`Replace the order to ${order.buys ? 'buy' : 'sell'} ${market.symbol}`} onClose={onClose}>
      <form
        className="grid gap-3"
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        {order.peg !== undefined && <NumberField label="From the mark (USD)" value={pegText} onChange={setPeg} autoFocus />}
        <NumberField label={order.peg === undefined ? 'Price (USD)' : 'Limit (USD)'} value={priceText} onChange={setPrice} autoFocus={order.peg === undefined} />
        <NumberField label="Size" unit={market.symbol} value={sizeText} onChange={setSize} hint={`Smallest order: ${size(market.minLots, market)}`} />
        <p className="text-muted">
          {keeps ? 'It shrinks and keeps its place in the queue.' : 'The old order is cancelled and the new one placed in one step, at the end of its queue.'}
        </p>
        <Check label="May take from the book at once" checked={take} onChange={setTake} />
        {takes && (
          <p role="alert" className="text-warn">
            {take ? 'At this price it takes from the book at once and pays the taker’s fee for that.' : 'At this price it would take from the book at once. That is refused unless you allow it above.'}
          </p>
        )}
        <button type="submit" className="primary" disabled={!valid || (takes && !take)}>Replace the order</button>
      </form>
    </Dialog>
  );
}
