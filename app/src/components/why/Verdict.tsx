import type { LineInfo } from '../../wasm/ballast_wasm';

const LOOKS: Record<string, [string, string, string]> = {
  same: ['✓', 'agrees', 'text-up bg-up-soft'],
  within: ['✓', 'within the bound', 'text-up bg-up-soft'],
  differs: ['✗', 'differs', 'text-down bg-down-soft'],
  unknown: ['–', 'needs other markets', 'text-muted bg-raised'],
};

/** Whether a number agrees, as a mark and a word. */
export function Verdict({ verdict }: { verdict: string }) {
  const [sign, word, colours] = LOOKS[verdict] ?? LOOKS.unknown!;
  return (
    <span className={`inline-flex items-center gap-1 rounded px-1.5 py-0.5 text-2xs ${colours}`} data-verdict={verdict}>
      <span aria-hidden="true">{sign}</span>
      {word}
    </span>
  );
}

/** The verdict on all numbers. */
export function Overall({ lines }: { lines: readonly LineInfo[] }) {
  const wrong = lines.filter(({ verdict }) => verdict === 'differs').length;
  const open = lines.filter(({ verdict }) => verdict === 'unknown').length;
  const right = lines.length - wrong - open;
  const good = wrong === 0;
  return (
    <p role="status" data-testid="overall" data-good={good} className={`rounded border p-3 ${good ? 'border-up bg-surface' : 'border-down bg-surface'}`}>
      <strong className={`font-semibold ${good ? 'text-up' : 'text-down'}`}>
        {good ? `✓ All ${right} numbers agree` : `✗ ${wrong} of ${lines.length} numbers differ`}
      </strong>{' '}
      {good
        ? 'between what the program recorded and what this page computed from the transaction, with the program’s own functions.'
        : 'from what this page computed. The market’s parameters may have changed since, or something is wrong: please report it.'}
      {open > 0 && ` ${open} cannot be computed from this transaction, because the account had other markets.`}
    </p>
  );
}
