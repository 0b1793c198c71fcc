import type { Cause, Evidence } from '../core/alert.ts';
import { THROTTLE_BITS, throttleReasons } from '../core/metrics.ts';
import type { Values } from '../core/sample.ts';
import { median } from '../core/statistics.ts';
import { defineRule, type Parameters, type ParameterValues, type TickInput, type Verdict } from './rule.ts';
import { percent, significant } from './wording.ts';

const parameters = {
  clockShare: {
    default: 0.85,
    minimum: 0.3,
    maximum: 1,
    unit: '×',
    description: 'A GPU whose SM clock is below this share of that of the others of its run holds them up.',
  },
  clearShare: { default: 0.92, minimum: 0.3, maximum: 1, unit: '×', description: 'Share from which on it does not.' },
  busyUtilization: {
    default: 50,
    minimum: 1,
    maximum: 100,
    unit: '%',
    description: 'Clocks are compared while all GPUs of the run are at work.',
  },
} as const satisfies Parameters;

type Limits = ParameterValues<typeof parameters>;

/** SM clocks (MHz) of late by GPU, oldest first. */
type State = { clocks: Record<string, number[]> };

const COMPARED = 15;

/**
 * One GPU of a run is slower than the others, and all wait for it after every step. They all tell the same utilization,
 * since waiting for each other is work to a GPU: only clock and power tell them apart.
 */
export const stragglerGpu = defineRule({
  id: 'straggler_gpu',
  title: 'One GPU holds up the others',
  description: 'One of the GPUs of a run is clocked clearly lower than the others, which wait for it at every step.',
  severity: ['warning'],
  subject: 'run',
  needs: ['gpu'],
  parameters,
  tracks: { straggler: { hold: { ms: 60_000 }, keepFiring: { ms: 60_000 } } },
  init: (): State => ({ clocks: {} }),
  step: (state, input, limits) => {
    if (input.kind === 'epoch') return [state, {}];
    if (input.gpus === null) return [state, { straggler: { kind: 'no-data', missing: ['SM clocks of the GPUs'] } }];
    const alike = ofOneKind(input.gpus);
    if (alike.length < 2) return [{ clocks: {} }, { straggler: { kind: 'clear', result: 'there is only one GPU' } }];
    if (alike.some(({ values }) => (values.utilization ?? 0) < limits.busyUtilization)) {
      return [state, { straggler: { kind: 'between' } }];
    }
    take(state, alike);
    return [state, { straggler: judge(state, alike, limits) }];
  },
});

type Gpus = NonNullable<TickInput['gpus']>;

/** Those with as much memory as the first: a GPU of another kind has other clocks by nature. */
const ofOneKind = (gpus: Gpus): Gpus =>
  gpus.filter(({ values }) => values.clockSm != null && values.memoryTotal === gpus[0]?.values.memoryTotal);

const take = (state: State, gpus: Gpus): void => {
  state.clocks = Object.fromEntries(
    gpus.map(({ gpu, values }) => [gpu, [...(state.clocks[gpu] ?? []), values.clockSm ?? 0].slice(-COMPARED)]),
  );
};

const judge = ({ clocks }: State, gpus: Gpus, limits: Limits): Verdict => {
  const usual = gpus.map(({ gpu, values }) => ({ gpu, values, clock: median(clocks[gpu] ?? []) }));
  if (Object.values(clocks).some((kept) => kept.length < COMPARED)) return { kind: 'between' };
  const [slow, ...peers] = usual.sort((a, b) => a.clock - b.clock);
  if (slow === undefined) return { kind: 'between' };
  const others = median(peers.map(({ clock }) => clock));
  if (slow.clock >= limits.clearShare * others) return { kind: 'clear', result: 'all GPUs are clocked alike' };
  if (slow.clock >= limits.clockShare * others) return { kind: 'between' };
  return {
    kind: 'breach',
    severity: 'warning',
    gpu: slow.gpu,
    title: `${slow.gpu} holds up the others`,
    problem:
      `${slow.gpu} runs at ${significant(slow.clock, 4)} MHz, the other ${peers.length === 1 ? 'GPU' : 'GPUs'} of the run ` +
      `at ${significant(others, 4)}: ${percent(significant(1 - slow.clock / others, 2))} less, and every step waits for it.`,
    evidence: evidenceOf(slow, others, peers),
    cause: causeOf(slow.values, peers),
    fix: [
      `See why: nvidia-smi -q -d PERFORMANCE,CLOCK,POWER -i ${slow.gpu.split(':')[1]}.`,
      'Set its power limit and clocks as those of the others (nvidia-smi -pl, nvidia-smi -rac, nvidia-smi -rgc).',
      'When it is hot or braked: its fans, its place in the machine, its power cables.',
      'Until it is mended, train without it (device=…): the others alone may be faster.',
    ],
  };
};

type Compared = { readonly values: Values; readonly clock: number };

const known = (gpus: readonly Compared[], metric: string): number | null => {
  const values = gpus.flatMap((one) => one.values[metric] ?? []);
  return values.length === 0 ? null : median(values);
};

const evidenceOf = (slow: Compared, others: number, peers: readonly Compared[]): readonly Evidence[] => [
  { name: 'SM clock', value: significant(slow.clock, 4), unit: 'MHz', expected: significant(others, 4) },
  ...(
    [
      ['power', 'power', 'W'],
      ['power limit', 'powerLimit', 'W'],
      ['temperature', 'temperature', '°C'],
    ] as const
  ).map(([name, metric, unit]) => {
    const expected = known(peers, metric);
    return { name, value: slow.values[metric] ?? null, unit, ...(expected !== null && { expected }) };
  }),
  { name: 'reasons now', value: throttleReasons(slow.values.throttle)?.join(', ') || 'none', unit: '' },
];

const SLOWED =
  THROTTLE_BITS.hw_slowdown |
  THROTTLE_BITS.sw_thermal_slowdown |
  THROTTLE_BITS.hw_thermal_slowdown |
  THROTTLE_BITS.hw_power_brake_slowdown;

const causeOf = (slow: Values, peers: readonly Compared[]): Cause => {
  const missing = ['step time of each rank'];
  const limit = slow.powerLimit ?? null;
  const limits = known(peers, 'powerLimit');
  if (((slow.throttle ?? 0) & SLOWED) !== 0) {
    const signals = throttleReasons(slow.throttle) ?? [];
    return { code: 'throttle', text: 'It is slowed down by heat or power.', confidence: 0.9, signals, missing };
  }
  if (limit !== null && limits !== null && limit < 0.97 * limits) {
    const signals = [`power limit ${significant(limit)} W instead of ${significant(limits)}`];
    return { code: 'power', text: 'Its power limit is lower.', confidence: 0.9, signals, missing };
  }
  const text = 'Its clocks were set lower, it has less power or air than the others, or it is another model.';
  return { code: 'other', text, confidence: 0.4, signals: ['lower SM clock'], missing };
};
