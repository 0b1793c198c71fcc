import type { Random } from '../random.ts';

/** The three losses of a detector. */
export const LOSSES = ['box', 'cls', 'dfl'] as const;
export type Losses = Record<(typeof LOSSES)[number], number>;

/** Range that a quantity is drawn from. */
type Range = readonly [low: number, high: number];

/** An ordinary training in numbers: how long, how its curves run, and how noisy they are. */
export type Training = {
  readonly epochs: number;
  /** Noise of ln(training loss), ln(validation loss) and mAP. */
  readonly trainNoise: number;
  readonly valNoise: number;
  readonly mapNoise: number;
  /** First-order autocorrelation of all noise. */
  readonly memory: number;
  /** A loss falls as a power of the epoch towards its floor. */
  readonly decay: number;
  readonly floor: Losses;
  readonly fall: Losses;
  readonly valRatio: Losses;
  /** mAP rises to `mapTop` with the time constant `mapRise` (epochs), from what the weights know already. */
  readonly mapTop: number;
  readonly mapRise: number;
  readonly mapShape: number;
  readonly mapKnown: number;
  readonly lr0: number;
  readonly lrf: number;
  readonly cosLr: boolean;
  readonly warmupEpochs: number;
  /** Last epochs without mosaic; what their beginning does to the losses and to mAP. */
  readonly closeMosaic: number;
  readonly mosaicLosses: Losses;
  readonly mosaicMap: number;
  readonly mosaicVal: number;
  readonly epochS: number;
  readonly epochNoise: number;
};

/** How a kind of scenario departs from an ordinary training before anything happens. */
export type Traits = {
  readonly epochs?: Range | number;
  readonly noise?: { readonly train: Range; readonly val: Range; readonly map: Range };
  readonly fixedNoise?: { readonly train: number; readonly val: number; readonly map: number };
  /** All losses when mosaic closes; the box loss too, which otherwise falls. */
  readonly mosaicLosses?: Range;
  readonly mosaicMovesBox?: true;
  readonly mayKeepMosaic?: true;
  readonly linearLr?: true;
};

/** Noise scales of 64 public results.csv, from the 5th to the 95th percentile. */
const TRAIN_NOISE: Range = [0.0022, 0.045];
const VAL_NOISE: Range = [0.004, 0.07];
const MAP_NOISE: Range = [0.0012, 0.035];

/** Draws a training. */
export const drawTraining = (random: Random, traits: Traits): Training => {
  const { uniform, logUniform, choice, unit } = random;
  const usualEpochs = random.integer(45, 300);
  const epochs = drawEpochs(random, traits.epochs) ?? usualEpochs;
  const usual = { train: logUniform(...TRAIN_NOISE), val: logUniform(...VAL_NOISE), map: logUniform(...MAP_NOISE) };
  const noise = traits.fixedNoise ?? (traits.noise ? drawNoise(random, traits.noise) : usual);
  const memory = uniform(0, 0.5);
  const decay = uniform(0.1, 0.6);
  const floor = { box: uniform(0.5, 1.1), cls: uniform(0.25, 0.8), dfl: uniform(0.75, 0.95) };
  const fall = { box: uniform(0.6, 1.6), cls: uniform(1.2, 3.2), dfl: uniform(0.25, 0.7) };
  const valRatio = drawLosses(random, [0.85, 1.35]);
  const mapTop = uniform(0.45, 0.92);
  const mapRise = uniform(0.05, 0.2) * epochs;
  const mapShape = uniform(0.7, 1.1);
  const mapKnown = unit() < 0.5 ? uniform(0, 0.35) : 0;
  const lr0 = choice([0.01, 0.01, 0.001, 0.002, 0.000714]);
  const cosLr = unit() < 0.5 && !traits.linearLr;
  const closeMosaic = traits.mayKeepMosaic ? choice([0, 10]) : 10;
  const mosaicLosses = drawLosses(random, traits.mosaicLosses ?? [0.8, 1.18]);
  if (!traits.mosaicMovesBox) mosaicLosses.box = uniform(0.82, 1.02);
  return {
    ...{ epochs, trainNoise: noise.train, valNoise: noise.val, mapNoise: noise.map, memory, decay },
    ...{ floor, fall, valRatio, mapTop, mapRise, mapShape, mapKnown },
    ...{ lr0, lrf: 0.01, cosLr, warmupEpochs: 3, closeMosaic, mosaicLosses },
    mosaicMap: uniform(0, 0.02),
    mosaicVal: uniform(0.94, 1),
    epochS: uniform(8, 400),
    epochNoise: logUniform(0.004, 0.1),
  };
};

/** 1-based epoch from which on mosaic is closed. */
export const mosaicClosesAt = ({ epochs, closeMosaic }: Training): number =>
  closeMosaic === 0 ? Number.POSITIVE_INFINITY : epochs - closeMosaic + 1;

/** Learning rate of an epoch as a share of `lr0`, by the trainer's schedule and without its warm-up. */
export const scheduled = ({ epochs, cosLr, lrf }: Training, epoch: number): number =>
  cosLr ? cosine((epoch - 1) / epochs, lrf) : Math.max(1 - (epoch - 1) / epochs, 0) * (1 - lrf) + lrf;

/** Half a cosine wave from 1 down to `end`; `done` from 0 to 1. */
export const cosine = (done: number, end: number): number => ((1 - Math.cos(done * Math.PI)) / 2) * (end - 1) + 1;

const drawEpochs = (random: Random, epochs: Traits['epochs']): number | undefined =>
  typeof epochs === 'object' ? random.integer(...epochs) : epochs;

const drawNoise = ({ uniform }: Random, { train, val, map }: NonNullable<Traits['noise']>) => ({
  train: uniform(...train),
  val: uniform(...val),
  map: uniform(...map),
});

const drawLosses = ({ uniform }: Random, range: Range): Losses => ({
  box: uniform(...range),
  cls: uniform(...range),
  dfl: uniform(...range),
});
