import type { Evidence, Severity } from '../core/alert.ts';
import { median } from '../core/statistics.ts';
import type { EpochComparison } from './epoch-utilization.ts';
import { type InputCause, inputFix } from './input-cause.ts';
import type { RunContext, Verdict } from './rule.ts';
import type { Pause } from './starvation.ts';
import { percent, significant } from './wording.ts';

/** What was found: at least one of gap, pauses and drop is there. */
export type Stall = {
  readonly severity: Severity;
  /** The pause that goes on, with the longest that would be expected here. */
  readonly gap: { readonly seconds: number; readonly allowedS: number; readonly betweenEpochs: boolean } | null;
  readonly pauses: readonly Pause[] | null;
  /** Of the window, lost in pauses. */
  readonly share: number;
  readonly windowS: number;
  readonly shareAllowed: number;
  readonly drop: EpochComparison | null;
  /** How long a drop alone has to hold. */
  readonly dropHoldS: number;
  readonly cause: InputCause;
  readonly run: RunContext;
};

/** A stall in the words of an alert; the plainest of what was found comes first. */
export const describeStall = (stall: Stall): Verdict => {
  const { gap, pauses, drop, cause, run } = stall;
  return {
    kind: 'breach',
    severity: stall.severity,
    title: gap ? 'Training waits: the GPU is idle' : 'The GPU waits for the dataloader',
    problem: problemOf(stall),
    evidence: evidenceOf(stall),
    cause,
    fix: inputFix(cause.code, run),
    ...(drop && !gap && !pauses ? { hold: { ms: stall.dropHoldS * 1000 } } : {}),
  };
};

const problemOf = ({ gap, pauses, share, windowS, shareAllowed, drop }: Stall): string => {
  if (gap) {
    const where = gap.betweenEpochs ? 'between two epochs' : 'in the middle of an epoch';
    return `The GPU has been idle for ${seconds(gap.seconds)} ${where}, where at most ${seconds(gap.allowedS)} would be expected.`;
  }
  if (pauses) {
    const lengths = pauses.map((pause) => pause.idleS);
    return (
      `The GPU stood idle for ${percent(share)} of the last ${seconds(windowS)}, in ${pauses.length} pauses of ` +
      `${seconds(median(lengths))} (longest ${seconds(Math.max(...lengths))}); below ${percent(shareAllowed)} is expected.`
    );
  }
  return drop
    ? `Over the length of an epoch the GPU was used to ${whole(drop.mean)} %, in earlier epochs to ${whole(drop.usual)} %.`
    : '';
};

const evidenceOf = ({ gap, pauses, share, windowS, shareAllowed, drop }: Stall): Evidence[] => {
  const evidence: Evidence[] = [];
  if (gap) evidence.push({ name: GAP, value: whole(gap.seconds), unit: 's', expected: whole(gap.allowedS) });
  evidence.push({
    name: `GPU time lost of the last ${seconds(windowS)}`,
    value: significant(share * 100),
    unit: '%',
    expected: significant(shareAllowed * 100),
  });
  if (pauses) {
    const lengths = pauses.map((pause) => pause.idleS);
    const apart = pauses.slice(1).map((pause, i) => (pause.endedAt - (pauses[i]?.endedAt ?? pause.endedAt)) / 1000);
    evidence.push({ name: PAUSES, value: pauses.length, unit: '' });
    evidence.push({ name: 'median pause', value: whole(median(lengths)), unit: 's' });
    evidence.push({ name: 'longest pause', value: whole(Math.max(...lengths)), unit: 's' });
    evidence.push({ name: 'from pause to pause', value: whole(median(apart)), unit: 's' });
  }
  if (drop) {
    evidence.push({ name: DROP, value: whole(drop.mean), unit: '%', expected: whole(drop.usual) });
  }
  return evidence;
};

/** Whether an alert of a stall tells only of a GPU that does less than it did, not of one that stands idle. */
export const tellsOnlyOfDrop = (evidence: readonly Evidence[]): boolean => {
  const names = new Set(evidence.map(({ name }) => name));
  return names.has(DROP) && !names.has(GAP) && !names.has(PAUSES);
};

const GAP = 'idle now';
const PAUSES = 'pauses';
const DROP = 'mean GPU utilization';

const whole = (value: number): number => Math.round(value);
const seconds = (value: number): string => `${whole(value)} s`;
