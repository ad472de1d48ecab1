import './wasm';

import { render, screen } from '@testing-library/react';
import { describe, expect, it } from 'vitest';

import { Linked, stageWords } from '../src/components/Banners';
import { joined } from '../src/components/history/History';
import { Lights } from '../src/components/Lights';

const rank = { lights: 4, score: 1n, lotsAhead: 125n, lotsSameCell: 10n, inProfit: 1_000n, total: 10_000n, aheadBps: 125 };

describe('the five lights', () => {
  it('are as many as the rank says, with the exact share ahead', () => {
    render(<Lights rank={rank} />);
    expect(screen.getByRole('img', { name: '4 of 5 lights' })).toBeInTheDocument();
    expect(screen.getByText('1.25 % ahead')).toBeInTheDocument();
  });

  it('are not shown for a position that is not in the index', () => {
    render(<Lights rank={undefined} />);
    expect(screen.queryByRole('img')).toBeNull();
  });
});

describe('an account in danger', () => {
  it('is told what may happen to it, and a healthy one nothing', () => {
    expect(stageWords({ stage: 'healthy' })).toBeNull();
    for (const stage of ['restricted', 'partial', 'takeover', 'bankrupt']) expect(stageWords({ stage })).not.toBeNull();
  });
});

describe('a server that a link chose', () => {
  it('is named for as long as the page speaks to it', () => {
    const { rerender } = render(<Linked cluster={{ linked: ['rpc.evil.com', 'evil.com:1'] }} />);
    expect(screen.getByRole('alert')).toHaveTextContent('rpc.evil.com and evil.com:1');
    rerender(<Linked cluster={{}} />);
    expect(screen.queryByRole('alert')).toBeNull();
  });
});

describe('a history that is read page by page', () => {
  const rows = (from: number, to: number) => Array.from({ length: from - to + 1 }, (_, at) => ({ id: `${from - at}` }));

  it('has no holes when new rows come, and none twice', () => {
    const known = { rows: rows(300, 101), ended: false };
    expect(joined(rows(300, 201), known)).toEqual(known);
    expect(joined(rows(307, 208), known)).toEqual({ rows: rows(307, 101), ended: false });
  });

  it('begins anew where more came than a page holds', () => {
    expect(joined(rows(500, 401), { rows: rows(300, 101), ended: true })).toEqual({ rows: rows(500, 401), ended: false });
    expect(joined(rows(9, 1), { rows: rows(300, 101), ended: false })).toEqual({ rows: rows(9, 1), ended: true });
  });
});
