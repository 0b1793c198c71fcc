import { createRandom, type Random } from '../random.ts';
import type { Scenario, TraceEvent } from '../scenario.ts';
import { CLEAN_KINDS, TRAITS } from './clean-kinds.ts';
import type { CleanKind, Disturbance, Draft, FaultKind, Noise } from './disturbance.ts';
import { FAULT_KINDS } from './fault-kinds.ts';
import { drawTraining, LOSSES, type Losses, mosaicClosesAt, scheduled, type Training } from './training.ts';

/** The kinds of training that end with a table of epochs (RULES 5.1). */
export const EPOCH_KINDS = { clean: Object.keys(CLEAN_KINDS), fault: Object.keys(FAULT_KINDS) } as const;

/** A row as the generators make it: numbers may be NaN or infinite. */
export type RawRow = {
  readonly epoch: number;
  /** The file's `time`, s, which a resume sets back; and the seconds of this epoch alone. */
  readonly elapsedS: number;
  readonly epochS: number;
  readonly draft: Draft;
  readonly rates: readonly number[];
};

/** What the trainer's arguments say; null: they do not describe the schedule. */
export type RawArgs = Pick<Training, 'epochs' | 'closeMosaic' | 'warmupEpochs'> & {
  readonly schedule: Pick<Training, 'lr0' | 'lrf' | 'cosLr'> | null;
};

/** A training of some kind with noise as public result files have it. */
export const generateEpochs = (kind: string, seed: number): Scenario => {
  const letters = [...kind].reduce((total, letter) => total + letter.charCodeAt(0), 0);
  const random = createRandom(seed * 7919 + letters * 104_729 + 999_331);
  const training = drawTraining(random, TRAITS[kind] ?? {});
  const harmless = new Map<string, CleanKind>(Object.entries(CLEAN_KINDS)).get(kind);
  const fault = new Map<string, FaultKind>(Object.entries(FAULT_KINDS)).get(kind);
  if (!harmless && !fault) throw new Error(`${kind} is not a kind of epoch scenario`);
  const clean = harmless?.(random, training);
  const usualStart = random.integer(14, Math.max(15, training.epochs - 26));
  const disturbance = clean ?? fault?.(random, training, usualStart) ?? {};
  const { epochs, closeMosaic, warmupEpochs, lr0, lrf, cosLr } = training;
  const schedule = disturbance.schedule ? null : { lr0, lrf, cosLr };
  const rows = simulate(random, training, disturbance);
  return {
    ...{ scale: 'rows', kind, seed, clean: harmless !== undefined, length: rows.length },
    trace: traceOf({ epochs, closeMosaic, warmupEpochs, schedule }, rows),
    labels: disturbance.labels ?? [],
  };
};

/** Tells rows as a trace does. */
export const traceOf = (args: RawArgs, rows: readonly RawRow[]): readonly TraceEvent[] => {
  const { schedule, epochs, closeMosaic, warmupEpochs } = args;
  let t = 0;
  return [
    { t, kind: 'args', epochs, closeMosaic, warmupEpochs, ...schedule },
    ...rows.map(({ epoch, elapsedS, epochS, draft, rates }): TraceEvent => {
      t += Math.round(1000 * epochS);
      return { t, kind: 'epoch', epoch, elapsedS, metrics: metricsOf(draft, rates) };
    }),
  ];
};

const metricsOf = ({ train, val, map50, map95, precision, recall }: Draft, rates: readonly number[]) =>
  Object.fromEntries(
    [
      ...LOSSES.map((name): [string, number] => [`train/${name}_loss`, train[name]]),
      ['metrics/precision(B)', precision] as const,
      ['metrics/recall(B)', recall] as const,
      ['metrics/mAP50(B)', map50] as const,
      ['metrics/mAP50-95(B)', map95] as const,
      ...LOSSES.map((name): [string, number] => [`val/${name}_loss`, val[name]]),
      ...rates.map((rate, group): [string, number] => [`lr/pg${group}`, rate]),
    ].map(([name, value]) => [name, word(value)]),
  );

const word = (value: number): number | 'nan' | 'inf' | '-inf' => {
  if (Number.isNaN(value)) return 'nan';
  return Number.isFinite(value) ? value : value > 0 ? 'inf' : '-inf';
};

const simulate = (random: Random, training: Training, disturbance: Disturbance): readonly RawRow[] => {
  const jumpAt = random.integer(2, 4);
  const noise = createNoise(random, training.memory);
  let clockS = 0;
  return Array.from({ length: training.epochs }, (_, i): RawRow => {
    const epoch = i + 1;
    const rates = (disturbance.rates ?? usualRates)(epoch, (at) => ratesAt(training, disturbance, at));
    const draft = draftOf({ epoch, random, training, disturbance, noise, jumpAt, rate: rates[0] ?? 0 });
    const epochS = secondsOf(random, training, disturbance, epoch);
    clockS = epoch === disturbance.resumesAt ? epochS : clockS + epochS;
    return { epoch, elapsedS: Math.round(100 * clockS) / 100, epochS, draft, rates };
  });
};

const usualRates: NonNullable<Disturbance['rates']> = (epoch, usual) => usual(epoch);

/** Of three parameter groups; that of the biases starts high in warm-up. */
const ratesAt = (training: Training, disturbance: Disturbance, epoch: number): readonly number[] => {
  const rate = training.lr0 * (disturbance.schedule ?? ((at) => scheduled(training, at)))(epoch);
  if (epoch > training.warmupEpochs) return [rate, rate, rate];
  const share = epoch / training.warmupEpochs;
  const biasStart = training.lr0 === 0.01 ? 0.1 : 0;
  return [rate * share, rate * share, biasStart + (rate - biasStart) * share];
};

/** Noise with memory; now and then a draw is 2.2 times as large. */
const createNoise = (random: Random, memory: number): Noise => {
  const last = new Map<string, number>();
  return (quantity, deviation) => {
    const z = random.gauss(0, 1);
    const heavy = random.unit() < 0.03 ? 2.2 : 1;
    const value = memory * (last.get(quantity) ?? 0) + Math.sqrt(1 - memory * memory) * (z * heavy);
    last.set(quantity, value);
    return value * deviation;
  };
};

const draftOf = (of: {
  readonly epoch: number;
  readonly random: Random;
  readonly training: Training;
  readonly disturbance: Disturbance;
  readonly noise: Noise;
  readonly jumpAt: number;
  readonly rate: number;
}): Draft => {
  const { epoch, random, training, disturbance, noise, jumpAt, rate } = of;
  const mosaicClosed = epoch - mosaicClosesAt(training) + 1;
  const { train, val } = lossesOf(random, training, disturbance, noise, epoch);
  const curve = (disturbance.map ?? (() => mapAt(training, disturbance, epoch)))(noise);
  const mapCurve =
    mosaicClosed > 0 ? Math.min(0.995, curve + training.mosaicMap * (1 - Math.exp(-mosaicClosed / 2))) : curve;
  const rateShare = Math.max(disturbance.mapNoiseRate ?? rate / training.lr0, 0.03);
  const spread = 0.4 + 0.6 * Math.min(1, 4 * mapCurve * (1 - mapCurve) + 0.25);
  const usualScale = (training.mapNoise * Math.sqrt(rateShare) * spread + 0.0004) * (1 + Math.exp(-epoch / 8));
  const mapScale = disturbance.mapScale?.(epoch, usualScale) ?? usualScale;
  const mapNoise = noise('map', mapScale);
  const map50 = mapCurve + mapNoise + (disturbance.swing?.(epoch) ?? 0);
  const strictShare = 0.55 + 0.2 * Math.min(1, epoch / training.epochs);
  const map95 = map50 * strictShare + noise('map95', 0.3 * mapScale);
  const precision = 1.02 * map50 + noise('precision', 1.5 * mapScale);
  const recall = 0.95 * map50 + noise('recall', 1.2 * mapScale);
  const draft: Draft = { train, val, map50, map95, precision, recall };
  disturbance.alter?.(draft, { epoch, random, noise, mapCurve, mapNoise, mapScale, strictShare, jumpAt });
  return { ...draft, map50: withinUnit(draft.map50), map95: withinUnit(draft.map95) };
};

const withinUnit = (map: number): number => Math.min(Math.max(map, 0), 0.999);

const lossesOf = (
  random: Random,
  training: Training,
  disturbance: Disturbance,
  noise: Noise,
  epoch: number,
): { readonly train: Losses; readonly val: Losses } => {
  const unsettled = 1 + 1.5 * Math.exp(-epoch / 5);
  const at = disturbance.lossEpoch?.(epoch) ?? epoch;
  const left = disturbance.left?.(at) ?? at ** -training.decay;
  const common = noise('common', training.trainNoise) * unsettled;
  const train: Losses = { box: 0, cls: 0, dfl: 0 };
  const val: Losses = { box: 0, cls: 0, dfl: 0 };
  for (const name of LOSSES) {
    const level = training.floor[name] + training.fall[name] * left;
    train[name] = level * Math.exp(0.7 * common + noise(`train ${name}`, 0.7 * training.trainNoise) * unsettled);
    val[name] = level * training.valRatio[name] * Math.exp(noise(`val ${name}`, training.valNoise) * unsettled);
    if (epoch <= 6 && !disturbance.noValBump) val[name] *= 1 + random.uniform(0, 0.25) * Math.exp(-(epoch - 1) / 2.5);
    if (epoch < mosaicClosesAt(training)) continue;
    train[name] *= training.mosaicLosses[name];
    val[name] *= training.mosaicVal;
  }
  return { train, val };
};

const mapAt = (training: Training, disturbance: Disturbance, epoch: number): number => {
  const at = (disturbance.mapEpoch ?? disturbance.lossEpoch)?.(epoch) ?? epoch;
  const learned = training.mapTop * (1 - Math.exp(-((at / training.mapRise) ** training.mapShape)));
  return Math.max(learned, training.mapKnown * Math.exp(-epoch / 8));
};

const secondsOf = (random: Random, training: Training, disturbance: Disturbance, epoch: number): number => {
  let seconds = training.epochS * Math.exp(random.gauss(0, training.epochNoise));
  if (epoch === 1) seconds *= random.logUniform(0.85, 5);
  // Validation sorts out more boxes while the model knows little.
  if (epoch <= 4) seconds *= 1 + 0.15 * Math.exp(-(epoch - 1) / 1.5);
  if (epoch >= mosaicClosesAt(training)) seconds *= 0.93;
  if (random.unit() < 0.015) seconds *= random.uniform(1.15, 1.4);
  const disturbed = disturbance.seconds?.(epoch, seconds, random) ?? seconds;
  return epoch === disturbance.resumesAt ? 1.3 * disturbed : disturbed;
};
