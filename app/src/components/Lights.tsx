import { share } from '../lib/units';
import type { Rank } from '../wasm/ballast_wasm';

/** Five lights: how near the position is to being deleveraged. All five are the first fifth of what is in profit. */
export function Lights({ rank }: { rank: Rank | undefined }) {
  if (!rank) return <span className="text-muted" title="Not in the ranking index yet: its fills wait to be settled">–</span>;
  const ahead = share(rank.lotsAhead, rank.total);
  const words = rank.lights === 0 ? 'Not in profit: reduced only after all that are' : `${ahead} of the side is deleveraged before it`;
  return (
    <span className="inline-flex items-center gap-2" title={words}>
      <span role="img" aria-label={`${rank.lights} of 5 lights`} className="inline-flex gap-0.5">
        {[1, 2, 3, 4, 5].map((light) => (
          <span
            key={light}
            className={`h-3 w-1.5 rounded-xs ${light > rank.lights ? 'bg-line' : rank.lights >= 4 ? 'bg-down' : rank.lights >= 2 ? 'bg-warn' : 'bg-up'}`}
          />
        ))}
      </span>
      <span className="num text-muted">{rank.lights === 0 ? 'not in profit' : `${ahead} ahead`}</span>
    </span>
  );
}
