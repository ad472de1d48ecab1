import './wasm';

import { render, screen } from '@testing-library/react';
import { describe, expect, it } from 'vitest';

import { stageWords } from '../src/components/Banners';
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
