import type { Label } from '../scenario.ts';
import { type Draft, type FaultKind, scale } from './disturbance.ts';
import { LOSSES } from './training.ts';

const FOR_GOOD = 1_000_000;

/** What a rule must find, with its truth. The parts that are foreseeable side effects have optional labels. */
export const FAULT_KINDS = {
  /** The training loss jumps for 1 to 3 epochs; `grade` is the height in units of the noise. */
  spike: (random, { trainNoise }, start) => {
    const grade = random.choice([4, 6, 10, 20]);
    const height = grade * Math.max(trainNoise, 0.008);
    const length = random.choice([1, 1, 2, 3]);
    const required = height >= 0.06 && grade >= 6;
    const spike = { rule: 'loss_spike', start, end: start + length - 1, deadline: start + length, required, grade };
    const effects = ['map_collapse', 'overfit', 'divergence', 'plateau', 'map_oscillation'];
    return {
      labels: [spike, ...optional(effects, start, start + length + 12)],
      alter: (draft, { epoch, random }) => bump(draft, random.uniform, { epoch, start, length, height }),
    };
  },

  nan_train: (_random, { epochs }, start) => {
    const effects = ['map_collapse', 'divergence', 'loss_spike', 'plateau', 'overfit'];
    return {
      labels: [
        { rule: 'loss_nan', start, end: epochs, deadline: start, required: true },
        ...optional(effects, start, epochs),
      ],
      alter: (draft, { epoch }) => {
        if (epoch < start) return;
        scale(draft.train, () => Number.NaN);
        scale(draft.val, () => Number.NaN);
        Object.assign(draft, { map50: 0, map95: 0, precision: 0, recall: 0 });
      },
    };
  },

  nan_val: (random, { epochs }, start) => {
    const length = random.choice([1, 3, epochs]);
    const end = Math.min(epochs, start + length - 1);
    return {
      labels: [
        { rule: 'loss_nan', start, end, deadline: start, required: true },
        ...optional(['overfit'], start, Math.min(epochs, start + length + 5)),
      ],
      alter: ({ val }, { epoch }) => {
        if (epoch < start || epoch >= start + length) return;
        const value = random.choice([Number.NaN, Number.POSITIVE_INFINITY]);
        val[random.choice(LOSSES)] = value;
      },
    };
  },

  divergence: (random, { epochs }, start) => {
    const rate = random.uniform(0.04, 0.2);
    return explosion(start, rate, epochs, Math.max(6, Math.ceil(0.6 / rate)));
  },

  /** The losses stop falling while the learning rate is high. */
  plateau: (random, { epochs, trainNoise }) => {
    const start = random.integer(10, Math.max(11, Math.floor(0.3 * epochs)));
    const deadline = start + Math.max(40, Math.floor(0.35 * epochs));
    const required = epochs - start > 50 && trainNoise <= 0.02;
    return {
      labels: [
        { rule: 'plateau', start, end: epochs, deadline, required },
        ...optional(['overfit', 'map_oscillation'], start, epochs),
      ],
      lossEpoch: (epoch) => Math.min(epoch, start),
    };
  },

  not_learning: (_random, { epochs }) => ({
    labels: [
      { rule: 'plateau', start: 1, end: epochs, deadline: Math.max(25, Math.floor(0.3 * epochs)), required: true },
      ...optional(['overfit', 'map_oscillation', 'map_collapse'], 1, epochs),
    ],
    lossEpoch: () => 1,
    map: (noise) => Math.abs(noise('nothing learned', 0.0006)),
  }),

  /** Validation losses rise by `grade` an epoch, mAP falls, the training loss goes on falling. */
  overfit: (random, { epochs, closeMosaic, valNoise }) => {
    const start = random.integer(15, Math.max(16, Math.floor(0.5 * epochs)));
    const rate = random.uniform(0.004, 0.02);
    const needed = Math.max(15, Math.ceil(Math.max(0.2, 5 * valNoise) / rate));
    const deadline = start + Math.min(epochs - start, needed);
    const required = (epochs - closeMosaic - start) * rate > Math.max(0.1, 4 * valNoise);
    return {
      labels: [
        { rule: 'overfit', start, end: epochs, deadline, required, grade: rate },
        ...optional(['plateau', 'map_oscillation'], start, epochs),
      ],
      mapEpoch: (epoch) => Math.min(epoch, start),
      alter: (draft, { epoch }) => {
        if (epoch < start) return;
        const since = epoch - start + 1;
        scale(draft.val, () => 1 + rate * since);
        draft.map50 -= Math.min(0.12, 0.15 * rate * since);
        draft.map95 -= Math.min(0.1, 0.12 * rate * since);
        scale(draft.train, () => Math.exp(-0.0015 * since));
      },
    };
  },

  /** mAP swings periodically; `grade` is the amplitude in units of its noise. */
  oscillation: (random, { epochs, mapNoise }) => {
    const grade = random.choice([2, 3, 4, 6]);
    const period = random.uniform(2.2, 6);
    const length = random.integer(16, 30);
    const start = random.integer(20, Math.max(21, epochs - length - 12));
    const amplitude = grade * mapNoise * Math.sqrt(Math.max(1 - start / epochs, 0.15));
    const required = grade >= 3 && amplitude >= 0.0025;
    return {
      labels: oscillationLabels({ start, length, epochs, required, grade }),
      swing: swing({ start, length, amplitude, period }),
    };
  },

  /** The oscillation of the report that this product began with: ±0.3 % in epochs 40 to 59 of 100. */
  oscillation_seed: (random, { epochs }) => {
    const when = { start: 40, length: 20 };
    return {
      labels: oscillationLabels({ ...when, epochs, required: true }),
      swing: swing({ ...when, amplitude: 0.003, period: random.uniform(3, 5) }),
    };
  },

  /** mAP gets `grade` times as noisy. */
  excess_var: (random, { epochs, mapNoise }) => {
    const grade = random.choice([3, 4, 6]);
    const length = random.integer(16, 30);
    const start = random.integer(28, Math.max(29, epochs - length - 12));
    const required = grade >= 4 && grade * mapNoise >= 0.01;
    return {
      labels: oscillationLabels({ start, length, epochs, required, grade }),
      mapScale: (epoch, usual) =>
        epoch >= start && epoch < start + length ? Math.max(usual * grade, grade * mapNoise * 0.6) : usual,
    };
  },

  /** mAP falls by the share `grade`, for 2 or 4 epochs or for good. */
  collapse: (random, { epochs }) => {
    const grade = random.choice([0.3, 0.5, 0.8, 1]);
    const length = random.choice([2, 4, FOR_GOOD]);
    const start = random.integer(Math.max(12, Math.floor(0.2 * epochs)), Math.max(15, epochs - 16));
    const end = Math.min(epochs, start + length - 1);
    const effects = ['map_oscillation', 'overfit', 'plateau', 'loss_spike', 'divergence'];
    return {
      labels: [
        { rule: 'map_collapse', start, end, deadline: start + 2, required: true, grade },
        ...optional(effects, start, Math.min(epochs, start + Math.min(length, epochs) + 22)),
      ],
      alter: (draft, { epoch }) => {
        if (epoch < start || epoch >= start + length) return;
        draft.map50 *= (1 - grade) * random.uniform(0.85, 1);
        draft.map95 *= (1 - grade) * 0.9;
        scale(draft.val, () => 1 + grade * random.uniform(0.3, 1));
      },
    };
  },

  lr_jump: (random, { epochs }, start) => {
    const grade = random.choice([3, 5, 10]);
    const length = random.choice([2, FOR_GOOD]);
    const jumped = (epoch: number) => epoch >= start && epoch < start + length;
    const effects = ['loss_spike', 'divergence', 'map_collapse', 'plateau', 'overfit', 'map_oscillation'];
    const end = Math.min(epochs, start + length - 1);
    return {
      labels: [
        { rule: 'lr_anomaly', start, end, deadline: start + 1, required: true, grade },
        ...optional(effects, start, epochs),
      ],
      rates: (epoch, usual) => (jumped(epoch) ? usual(epoch).map((rate) => rate * grade) : usual(epoch)),
      alter: ({ train }, { epoch }) => {
        if (jumped(epoch)) scale(train, () => 1 + (0.04 * grade) / 3);
      },
    };
  },

  lr_stuck: (random, { epochs }) => {
    const start = random.integer(12, Math.floor(0.5 * epochs));
    return {
      labels: [
        { rule: 'lr_anomaly', start, end: epochs, deadline: start + 10, required: true },
        ...optional(['plateau', 'map_oscillation'], start, epochs),
      ],
      rates: (epoch, usual) => usual(Math.min(epoch, start)),
    };
  },

  lr_zero: (_random, { epochs }, start) => ({
    labels: [
      { rule: 'lr_anomaly', start, end: epochs, deadline: start + 1, required: true },
      ...optional(['plateau', 'overfit'], start, epochs),
    ],
    rates: (epoch, usual) => (epoch >= start ? [0, 0, 0] : usual(epoch)),
    lossEpoch: (epoch) => Math.min(epoch, start),
  }),

  /** Epochs take `grade` times as long. */
  slow_epochs: ({ uniform }, { epochs }, start) => {
    const grade = uniform(1.25, 2.2);
    return {
      labels: [{ rule: 'throughput_drop', start, end: epochs, deadline: start + 5, required: grade >= 1.3, grade }],
      seconds: (epoch, usual) => (epoch >= start ? usual * grade : usual),
    };
  },

  /** Layers that were frozen begin to move: a bump in epochs 3 to 8. */
  unfreeze_spike: (random) => {
    const start = random.integer(3, 4);
    const length = random.integer(2, 4);
    const height = random.uniform(0.2, 0.6);
    const end = start + length + 3;
    return {
      labels: [
        { rule: 'loss_spike', start, end, deadline: end, required: false },
        ...optional(['map_collapse', 'divergence'], start, start + 12),
      ],
      alter: (draft, { epoch }) => bump(draft, random.uniform, { epoch, start, length, height }),
    };
  },

  early_explode: (random, { epochs }) => {
    const start = random.integer(5, 9);
    return explosion(start, random.uniform(0.25, 0.6), epochs, 8);
  },
} as const satisfies Record<string, FaultKind>;

const optional = (rules: readonly string[], start: number, end: number): readonly Label[] =>
  rules.map((rule) => ({ rule, start, end, deadline: end, required: false }));

/** A rise of the losses that sinks back over three epochs, and takes mAP down a little. */
const bump = (
  draft: Draft,
  uniform: (low: number, high: number) => number,
  when: { readonly epoch: number; readonly start: number; readonly length: number; readonly height: number },
): void => {
  const since = when.epoch - when.start;
  if (since < 0 || since >= when.length + 3) return;
  const inside = since < when.length;
  const rise = when.height * (inside ? 1 : 0.25 * Math.exp(when.length - since));
  scale(draft.train, () => 1 + rise * uniform(0.8, 1.2));
  if (!inside) return;
  scale(draft.val, () => 1 + rise * uniform(0.2, 1));
  draft.map50 *= 1 - Math.min(0.3, 0.3 * rise);
  draft.map95 *= 1 - Math.min(0.35, 0.35 * rise);
};

/** All losses grow exponentially, by `rate` an epoch. */
const explosion = (start: number, rate: number, epochs: number, graceEpochs: number): ReturnType<FaultKind> => ({
  labels: [
    { rule: 'divergence', start, end: epochs, deadline: start + graceEpochs, required: true, grade: rate },
    ...optional(['loss_spike', 'map_collapse', 'overfit', 'plateau', 'map_oscillation'], start, epochs),
  ],
  alter: (draft, { epoch }) => {
    if (epoch < start) return;
    const exponent = Math.min(2.5, rate * (epoch - start + 1));
    scale(draft.train, () => Math.exp(exponent));
    scale(draft.val, () => 1.05 * Math.exp(exponent));
    draft.map50 *= Math.exp(-2 * exponent);
    draft.map95 *= Math.exp(-2.2 * exponent);
  },
});

const oscillationLabels = (of: {
  readonly start: number;
  readonly length: number;
  readonly epochs: number;
  readonly required: boolean;
  readonly grade?: number;
}): readonly Label[] => {
  const { start, length, epochs, required, grade } = of;
  const end = Math.min(epochs, start + length - 1);
  const deadline = Math.min(epochs, start + length + 2);
  return [
    { rule: 'map_oscillation', start, end, deadline, required, ...(grade !== undefined && { grade }) },
    ...optional(['plateau', 'overfit', 'map_collapse'], start, start + length + 12),
  ];
};

const swing =
  (of: { readonly start: number; readonly length: number; readonly amplitude: number; readonly period: number }) =>
  (epoch: number): number => {
    const since = epoch - of.start;
    if (since < 0 || since >= of.length) return 0;
    return of.amplitude * Math.sin((2 * Math.PI * since) / of.period + 1);
  };
