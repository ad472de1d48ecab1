// The deleveraging ladder of an account: "at this margin ratio reduce by this part", carried out by anyone before liquidation.
import { useState } from 'react';

import { useSession } from '../hooks/session';
import { formatDecimal, parseDecimal } from '../lib/decimal';
import { LADDER, setLadder, type RungInput } from '../lib/protection';
import { percent } from '../lib/units';
import type { AccountInfo } from '../wasm/ballast_wasm';
import { Dialog } from './Dialog';
import { NumberField } from './Field';

interface Row {
  ratio: string;
  part: string;
}

/** The rules that text says, by descending ratio; or what is wrong with it. Empty rows are no rules. */
export function rungsOf(rows: readonly Row[]): RungInput[] | string {
  const rungs: RungInput[] = [];
  for (const { ratio, part } of rows) {
    if (ratio.trim() === '' && part.trim() === '') continue;
    const [ratioBps, reduceBps] = [parseDecimal(ratio, 2), parseDecimal(part, 2)];
    const within = (value: bigint | null, [least, most]: readonly [bigint, bigint]): value is bigint => value !== null && value >= least && value <= most;
    if (!within(ratioBps, LADDER.ratio)) return `A margin ratio is between ${percent(LADDER.ratio[0], 0)} and ${percent(LADDER.ratio[1], 0)}.`;
    if (!within(reduceBps, LADDER.part)) return `A part is between ${percent(LADDER.part[0], 0)} and ${percent(LADDER.part[1], 0)}.`;
    rungs.push({ ratioBps: Number(ratioBps), reduceBps: Number(reduceBps) });
  }
  rungs.sort((a, b) => b.ratioBps - a.ratioBps);
  if (rungs.some(({ ratioBps }, at) => rungs[at + 1]?.ratioBps === ratioBps)) return 'Two rules have the same margin ratio.';
  return rungs;
}

function textOf(bps: number): string {
  return formatDecimal(BigInt(bps), 2);
}

/** Sets the ladder. */
export function LadderDialog({ account, onClose }: { account: AccountInfo; onClose: () => void }) {
  const { run } = useSession();
  const { rungs: set, slippageBps } = account.ladder;
  const [rows, setRows] = useState<Row[]>(() =>
    Array.from({ length: LADDER.rungs }, (_, at) => {
      const rung = set[at];
      return rung ? { ratio: textOf(rung.ratioBps), part: textOf(rung.reduceBps) } : { ratio: '', part: '' };
    }),
  );
  const [slippage, setSlippage] = useState(slippageBps === 0 ? '1' : textOf(slippageBps));
  const change = (at: number, next: Partial<Row>): void => setRows((before) => before.map((row, index) => (index === at ? { ...row, ...next } : row)));
  const rungs = rungsOf(rows);
  const bps = parseDecimal(slippage, 2);
  const [least, most] = LADDER.slippage;
  const problem = typeof rungs === 'string' ? rungs : bps === null || bps < least || bps > most ? `Slippage is between ${percent(least, 1)} and ${percent(most, 0)}.` : null;
  const submit = async (): Promise<void> => {
    if (typeof rungs === 'string' || problem) return;
    onClose();
    await run(rungs.length === 0 ? 'Remove the ladder' : 'Set the ladder', () => [setLadder(account, rungs, Number(bps))]);
  };
  return (
    <Dialog title={`Ladder of account ${account.number + 1}`} onClose={onClose}>
      <form
        className="grid gap-3"
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        <p className="text-muted">
          When the account’s margin ratio falls to a rule’s, anyone may reduce the position with the most relief by the rule’s part, for less than a
          liquidation costs. {account.marginRatioBps !== undefined && `The ratio is ${percent(account.marginRatioBps, 0)} now.`}
        </p>
        <div className="grid gap-2">
          {rows.map((row, at) => (
            <div key={at} className="grid grid-cols-2 gap-2" role="group" aria-label={`Rule ${at + 1}`}>
              <NumberField label={at === 0 ? 'At a margin ratio of' : `Rule ${at + 1}: at`} unit="%" placeholder={at === 0 ? '150' : '–'} value={row.ratio} onChange={(ratio) => change(at, { ratio })} />
              <NumberField label="reduce by" unit="%" placeholder={at === 0 ? '25' : '–'} value={row.part} onChange={(part) => change(at, { part })} />
            </div>
          ))}
        </div>
        <NumberField label="Slippage from the mark, at most" unit="%" value={slippage} onChange={setSlippage} />
        {problem && <p className="text-warn">{problem}</p>}
        <button type="submit" className="primary" disabled={problem !== null || (typeof rungs !== 'string' && rungs.length === 0 && set.length === 0)}>
          {typeof rungs !== 'string' && rungs.length === 0 ? 'Remove the ladder' : 'Set the ladder'}
        </button>
      </form>
    </Dialog>
  );
}
