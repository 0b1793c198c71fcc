import { SEVERITIES } from '../core/alert.ts';
import { defineRule, type GpuTickInput, type Parameters, type ParameterValues, type Verdict } from './rule.ts';
import { meaningOfXid } from './xid-table.ts';

const parameters = {
  burstS: {
    default: 180,
    minimum: 1,
    maximum: 3600,
    unit: 's',
    description: 'Errors belong together until it was silent for this long.',
  },
  openH: {
    default: 24,
    minimum: 1,
    maximum: 168,
    unit: 'h',
    description: 'An error is over after this long: nothing tells that it was mended.',
  },
} as const satisfies Parameters;

/** Errors that belong together, the first to the newest. */
type Burst = {
  readonly beganAt: number;
  lastAt: number;
  /** Errors by number. */
  counts: Record<number, number>;
  /** What the driver said of the worst. */
  line: string;
  worst: number;
};

type State = {
  burst: Burst | null;
  /** A burst that began while another was open: the other has to end first, so that this one is told. */
  isAnother: boolean;
};

/** An XID, NVIDIA's word for an error of a GPU or of what runs on it. An event: it is over after a day. */
export const gpuXid = defineRule({
  id: 'gpu_xid',
  title: 'GPU error (XID)',
  description:
    'The driver reported an error of the GPU, or of a program on it: what it means, and what to do about it.',
  severity: ['info', 'warning', 'critical'],
  subject: 'gpu',
  needs: ['gpu', 'logs'],
  parameters,
  tracks: { xid: { hold: { evaluations: 1 }, keepFiring: { evaluations: 1 } } },
  init: (): State => ({ burst: null, isAnother: false }),
  step: (state, input: GpuTickInput, limits) => {
    const heardUntil = state.burst?.lastAt ?? Number.NEGATIVE_INFINITY;
    // After a restart the kernel log is read again.
    for (const error of input.xids) if (error.at > heardUntil) take(state, error, limits);
    return [state, { xid: judge(state, input, limits) }];
  },
});

const take = (
  state: State,
  { at, xid, line }: GpuTickInput['xids'][number],
  limits: ParameterValues<typeof parameters>,
): void => {
  const { burst } = state;
  if (burst === null || at - burst.lastAt > limits.burstS * 1000) {
    state.isAnother = burst !== null;
    state.burst = { beganAt: at, lastAt: at, counts: { [xid]: 1 }, worst: xid, line: quote(line) };
    return;
  }
  burst.lastAt = at;
  burst.counts[xid] = (burst.counts[xid] ?? 0) + 1;
  if (rank(xid) > rank(burst.worst)) Object.assign(burst, { worst: xid, line: quote(line) });
};

const judge = (state: State, { at, gpu }: GpuTickInput, limits: ParameterValues<typeof parameters>): Verdict => {
  const { burst } = state;
  if (burst === null) return { kind: 'clear' };
  if (state.isAnother) {
    state.isAnother = false;
    return { kind: 'clear', result: 'more errors came' };
  }
  if (at - burst.lastAt > limits.openH * 3_600_000) {
    state.burst = null;
    return { kind: 'clear', result: `no error came for ${limits.openH} h` };
  }
  const { severity, text, fix } = meaningOfXid(burst.worst);
  const told = Object.entries(burst.counts);
  const each = told.map(([xid, count]) => (count === 1 ? xid : `${xid} (${count} times)`)).join(', ');
  return {
    kind: 'breach',
    severity,
    title: `GPU error: XID ${burst.worst}`,
    problem: `The driver reported XID ${each} of ${gpu}. ${text}`,
    evidence: [
      { name: 'errors', value: each, unit: '' },
      { name: 'the driver said', value: burst.line, unit: '' },
    ],
    cause: {
      code: `xid_${burst.worst}`,
      text,
      confidence: severity === 'info' ? 0.3 : 0.8,
      signals: told.map(([xid]) => `XID ${xid}`),
      missing: [],
    },
    fix: fix.map((step) => step.replace('-i GPU', `-i ${gpu.split(':')[1]}`)),
  };
};

const rank = (xid: number): number => SEVERITIES.indexOf(meaningOfXid(xid).severity);

const MOST_CHARACTERS = 300;

/** A line of the kernel log comes from outside, and may be of any length. */
const quote = (line: string): string => (line.length <= MOST_CHARACTERS ? line : `${line.slice(0, MOST_CHARACTERS)}…`);
