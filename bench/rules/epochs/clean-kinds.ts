import type { Random } from '../random.ts';
import { type CleanKind, type Draft, type Moment, scale } from './disturbance.ts';
import { cosine, type Training, type Traits } from './training.ts';

/** Another process goes on from a checkpoint; the losses are not quite where they were. */
const resume = (random: Random, { epochs }: Training) => {
  const resumesAt = random.integer(Math.max(8, Math.floor(epochs / 5)), epochs - 14);
  return {
    resumesAt,
    alter: (draft: Draft, { epoch }: Moment): void => {
      if (epoch !== resumesAt) return;
      const factor = random.uniform(0.97, 1.06);
      scale(draft.train, () => factor);
    },
  };
};

/** What a healthy training may do that a rule must not take for a fault. */
export const CLEAN_KINDS = {
  plain: () => ({}),

  /** Pretrained weights: mAP begins high, dips while the head is new, and comes back. */
  finetune_dip: ({ uniform }, { mapTop }) => ({
    alter: (draft, { epoch, noise, mapCurve, mapNoise, mapScale, strictShare }) => {
      const known = 0.8 * mapTop;
      const depth = uniform(0.55, 0.85);
      draft.map50 =
        epoch <= 8
          ? Math.max(known * (1 - (1 - depth) * Math.exp(-(((epoch - 4) / 2) ** 2))) + noise('map', mapScale), 0.02)
          : Math.max(mapCurve, known * (1 - 0.15 * Math.exp(-(epoch - 8) / 4))) + mapNoise;
      draft.map95 = draft.map50 * strictShare;
    },
  }),

  mosaic_up: () => ({}),
  mosaic_down: () => ({}),

  /** The learning rate starts over several times; the losses jump with it and come back. */
  lr_restart: (random, { epochs, lrf }) => {
    const period = random.integer(Math.floor(epochs / 5), Math.floor(epochs / 3));
    const restarts: number[] = [];
    for (let epoch = period + 1; epoch < epochs - 12; epoch += period) restarts.push(epoch);
    const last = restarts.at(-1) ?? 1;
    return {
      mapNoiseRate: 0.5,
      schedule: (epoch) => {
        const since = epoch < last + period ? (epoch - 1) % period : epoch - last;
        return cosine(Math.min(since / period, 1), lrf);
      },
      alter: (draft, { epoch }) => {
        const restart = restarts.findLast((at) => at <= epoch);
        const shock = Math.exp(-(restart === undefined ? 99 : epoch - restart) / 4);
        scale(draft.train, () => 1 + 0.1 * shock);
        scale(draft.val, () => 1 + 0.1 * shock);
        draft.map50 *= 1 - 0.04 * shock;
        draft.map95 *= 1 - 0.05 * shock;
      },
    };
  },

  resume,

  noisy_small: () => ({ noValBump: true }),

  lr_step: (_random, { epochs }) => {
    const steps = [Math.floor(0.5 * epochs), Math.floor(0.75 * epochs)];
    return { schedule: (epoch) => 0.1 ** steps.filter((step) => epoch > step).length };
  },

  long: () => ({}),

  /** One or two of the first epochs are far worse than those before. */
  early_jump: (random) => ({
    alter: (draft, { epoch, jumpAt }) => {
      if (epoch !== jumpAt && epoch !== jumpAt + 1) return;
      const factor = random.uniform(1.15, 1.8);
      scale(draft.train, () => factor);
      scale(draft.val, () => factor * random.uniform(1, 2));
      draft.map50 *= random.uniform(0.1, 0.7);
      draft.map95 *= 0.5;
    },
  }),

  /** Classification and distribution losses of validation drift up while mAP still rises: common for YOLO. */
  val_rise_map_ok: (_random, { epochs }) => ({
    alter: ({ val }, { epoch }) => {
      const since = epoch - 0.4 * epochs;
      if (since <= 0) return;
      val.cls *= 1 + 0.0025 * since;
      val.dfl *= 1 + 0.0025 * since;
    },
  }),

  slow_epoch_once: (_random, { epochs }) => {
    const slow = [Math.floor(epochs / 3), Math.floor(epochs / 2)];
    return { seconds: (epoch, usual, { uniform }) => (slow.includes(epoch) ? usual * uniform(1.6, 2.4) : usual) };
  },

  /** Resumed with another batch size: a little more loss, faster epochs. */
  batch_change: (random, training) => {
    const resumed = resume(random, training);
    const { resumesAt } = resumed;
    return {
      ...resumed,
      alter: (draft, moment) => {
        resumed.alter(draft, moment);
        if (moment.epoch >= resumesAt) scale(draft.train, () => 1.02);
      },
      seconds: (epoch, usual) => (epoch >= resumesAt ? 0.8 * usual : usual),
    };
  },

  /** The losses flatten early, as they do when there is little left to learn. */
  natural_flat: (_random, { epochs, decay }) => ({
    left: (epoch) => 0.25 * Math.max(epoch ** -decay, (0.35 * epochs) ** -decay) + 0.75 * epoch ** -decay,
  }),
} as const satisfies Record<string, CleanKind>;

/** How some of them, and one fault, differ from the beginning. */
export const TRAITS: Readonly<Record<string, Traits>> = {
  long: { epochs: [200, 300] },
  noisy_small: { noise: { train: [0.02, 0.035], val: [0.05, 0.09], map: [0.015, 0.03] } },
  mosaic_up: { mosaicLosses: [1.03, 1.3], mosaicMovesBox: true },
  mosaic_down: { mosaicLosses: [0.72, 0.95] },
  natural_flat: { mayKeepMosaic: true },
  lr_step: { linearLr: true },
  oscillation_seed: { epochs: 100, fixedNoise: { train: 0.006, val: 0.012, map: 0.0012 } },
};
