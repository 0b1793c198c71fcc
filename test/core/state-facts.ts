import type { KnownOutput } from '../../src/core/output-facts.ts';
import { NOTHING_SAID, type SaidEnding } from '../../src/core/output-facts.ts';
import type { EpochRow } from '../../src/core/run.ts';
import type { StateFacts } from '../../src/core/run-facts.ts';
import { NO_PROGRESS, proceed } from '../../src/core/run-progress.ts';

export const T0 = 1_757_427_471_000;
export const MINUTE = 60_000;

/** One row a minute from T0 on, with these mAPs. */
export const rowsOf = (maps: readonly number[], secondsPerEpoch = 60): EpochRow[] =>
  maps.map((map, i) => ({
    attempt: 1,
    epoch: i + 1,
    at: T0 + (i + 1) * secondsPerEpoch * 1000,
    atSource: 'mtime',
    elapsedS: (i + 1) * secondsPerEpoch,
    runElapsedS: (i + 1) * secondsPerEpoch,
    metrics: { 'metrics/mAP50(B)': map, 'metrics/mAP50-95(B)': map },
  }));

/** A run of 100 epochs that wrote its third one five seconds ago, and what differs. */
export const factsOf = ({
  rows = rowsOf([0.1, 0.2, 0.3]),
  ...over
}: Partial<StateFacts> & { rows?: EpochRow[] } = {}): StateFacts => {
  const lastAt = rows.at(-1)?.at ?? T0;
  return {
    progress: rows.reduce(proceed, NO_PROGRESS),
    epochsDone: rows.length,
    epochsPlanned: 100,
    args: { epochs: 100, patience: 50 },
    argsAt: T0,
    activityAt: lastAt,
    resultsPngAt: null,
    secondsPerEpoch: rows.length > 1 ? 60 : null,
    watchedSince: T0,
    lost: null,
    outputs: [],
    process: { status: 'unknown' },
    exit: null,
    kernelKill: null,
    now: lastAt + 5000,
    ...over,
  };
};

/** A console log whose last words, written at `at`, are these. */
export const logThatEnds = (
  ending: Partial<SaidEnding>,
  at: number,
  source = '/runs/train/train.log',
): KnownOutput => ({
  source,
  writtenAt: at,
  facts: {
    ...NOTHING_SAID,
    starts: 1,
    ending: { state: 'failed', reason: 'error_in_log', lines: [], at: null, ...ending },
  },
});
