import { useState } from 'react';

import { useSession } from '../hooks/session';
import { parseDecimal } from '../lib/decimal';
import { placeOrder, worstPrice } from '../lib/orders';
import { ofProgram } from '../lib/problems';
import { abs, averagePrice, parseSize, price, size, usd } from '../lib/units';
import type { AccountInfo, MarketInfo, PositionInfo } from '../wasm/ballast_wasm';
import { Dialog } from './Dialog';
import { Change, Line, NumberField, Refusal, typed } from './Field';
import { Dropped } from './ticket/PreviewTable';

interface Props {
  account: AccountInfo;
  position: PositionInfo;
  market: MarketInfo;
  onClose: () => void;
}

/** Closes a position or a part of it on the book, no worse than a slippage from the mark. */
export function CloseDialog({ account, position, market, onClose }: Props) {
  const { chain, run, connected } = useSession();
  const whole = abs(position.lots);
  const [text, setText] = useState(typed(size(whole, market)));
  const [slippage, setSlippage] = useState('1');
  const lots = parseSize(text, market);
  const slippageBps = parseDecimal(slippage, 2);
  const valid = lots !== null && lots > 0n && lots <= whole && slippageBps !== null && slippageBps <= 5_000n;
  const buys = position.lots < 0n;
  const order = {
    market: market.index,
    buys,
    kind: 'immediateOrCancel' as const,
    price: worstPrice(market, buys, slippageBps ?? 0n),
    lots: lots ?? 0n,
    reduceOnly: true,
  };
  const preview = valid ? chain.ask((desk) => desk.preview(account.address, order)) : null;
  const average = preview && averagePrice(preview.quote, preview.filled);
  const refusal = preview?.refusal && ofProgram(preview.refusal);
  const submit = async (): Promise<void> => {
    if (!connected || !valid) return;
    onClose();
    await run(`Close ${size(order.lots, market)} ${market.symbol}`, () => [placeOrder(chain.markets(), account, connected.account.address, order)]);
  };
  return (
    <Dialog title={`Close ${market.symbol} ${buys ? 'short' : 'long'}`} onClose={onClose}>
      <form
        className="grid gap-3"
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        <NumberField label={`Size, of ${size(whole, market)}`} unit={market.symbol} value={text} onChange={setText} />
        <div role="group" aria-label="Part of the position" className="grid grid-cols-4 gap-1">
          {[25n, 50n, 75n, 100n].map((part) => (
            <button key={String(part)} type="button" className="plain px-0 py-1" onClick={() => setText(typed(size((whole * part) / 100n, market)))}>
              {String(part)} %
            </button>
          ))}
        </div>
        <NumberField label="Slippage from the mark, at most" unit="%" value={slippage} onChange={setSlippage} />
        {preview && (
          <dl className="grid gap-1">
            <Line name="Average price" value={average === null ? '–' : price(average, market)} />
            <Line name="Worst price" value={price(order.price, market)} />
            <Line name="Fee" value={usd(preview.fee, 4)} />
            <Change name="Position" before={size(preview.before.lots, market)} after={size(preview.after.lots, market)} />
            <Dropped preview={preview} market={market} />
          </dl>
        )}
        {refusal && <Refusal title={refusal.title} detail={refusal.detail} />}
        <button type="submit" className="primary" disabled={!valid || refusal !== undefined}>Close at the market</button>
      </form>
    </Dialog>
  );
}
