import type { GpuMetric } from '../src/core/metrics.ts';
import type { Columns } from '../src/store/chunks/columns.ts';
import { randomOf } from '../test/rules/rows.ts';

/** The data set of the storage benches: so many GPUs over a day at 1 Hz, 16 whole numbers a tick. */
export const GPUS = 8;
export const TICK_MS = 1000;
export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;

/**
 * What a tick holds. The catalogue has no column for the number of processes and for the P-state: their values stand in
 * `memoryReserved` (so many contexts of 512 MiB) and `rowRemapPending`, which no bench asks for.
 */
export const METRICS = [
  ...(['utilization', 'memoryUtilization', 'memoryUsed', 'memoryReserved', 'power', 'temperature'] as const),
  ...(['memoryTemperature', 'clockSm', 'clockMem', 'pcieRx', 'pcieTx', 'throttle', 'fan', 'energy'] as const),
  ...(['eccCorrected', 'rowRemapPending'] as const),
] as const satisfies readonly GpuMetric[];

export type Metric = (typeof METRICS)[number];

/** Values in the data set: 11.06 million. */
export const POINTS = GPUS * METRICS.length * (DAY_MS / TICK_MS);

type Tick = Readonly<Record<Metric, number>>;

/** Whole hours of some metrics of one GPU, ms; `to` is exclusive. */
export type Stretch = {
  readonly gpu: number;
  readonly from: number;
  readonly to: number;
  readonly metrics: readonly Metric[];
};

/**
 * What a GPU says in a stretch, hour by hour, always the same for the same stretch: trainings of hours with a quiet time
 * between them, epochs with a part of validation, power that wanders (AR(1)), noisy PCIe, an energy counter that follows
 * power but is not its exact sum, clocks under a power cap, an ECC error every few hours.
 */
export function* hoursOf({ gpu, from, to, metrics }: Stretch): Generator<Columns, undefined> {
  const nextTick = createTicks(randomOf(from / HOUR_MS + 1_000_000 * gpu));
  for (let hourAt = from; hourAt < to; hourAt += HOUR_MS) {
    const ticks = Array.from({ length: TICKS_AN_HOUR }, nextTick);
    yield {
      at: Float64Array.from(ticks, (_, i) => hourAt + i * TICK_MS),
      columns: new Map(metrics.map((name) => [name, Float64Array.from(ticks, (tick) => tick[name])])),
    };
  }
}

const TICKS_AN_HOUR = HOUR_MS / TICK_MS;
const MIB = 2 ** 20;
const GIB = 2 ** 30;
/** J that the counter stands at when the series begins: the driver was loaded some days before. */
const ENERGY_BEFORE = 123_456_789;

const createTicks = (random: () => number): (() => Tick) => {
  const normal = createNormal(random);
  const between = (low: number, high: number): number => low + (high - low) * random();
  const wander = (keep: number, spread: number): (() => number) => {
    let state = 0;
    return () => {
      state = keep * state + spread * normal();
      return state;
    };
  };
  const powerNoise = wander(0.85, 9);
  const loadNoise = wander(0.6, 2.5);
  const memoryNoise = wander(0.6, 2);
  const clockNoise = wander(0.7, 14);

  let isTraining = random() < 0.8;
  let phaseLeftS = between(0, 5) * TICKS_AN_HOUR;
  let epochS = 180;
  let epochAgeS = 0;
  let memoryUsed = 24 * GIB;
  let heat = 45;
  let energy = ENERGY_BEFORE;
  let corrected = 0;

  return () => {
    phaseLeftS -= 1;
    epochAgeS += 1;
    if (phaseLeftS <= 0) {
      isTraining = !isTraining;
      phaseLeftS = (isTraining ? between(3, 9) : between(0.3, 2)) * TICKS_AN_HOUR;
      epochS = Math.round(between(120, 300));
      epochAgeS = 0;
      memoryUsed = Math.round(between(18, 60)) * GIB;
    }
    if (epochAgeS >= epochS) epochAgeS = 0;
    // The last eighth of an epoch is validation; the trainer writes a checkpoint before the next one.
    const isValidation = epochAgeS > 0.88 * epochS;
    const isCheckpoint = isTraining && epochAgeS >= epochS - 3;
    const isBusy = isTraining && !isCheckpoint;
    const isStarved = isBusy && random() < 0.01;
    if (isBusy && random() < 0.01) memoryUsed += 2 * MIB * Math.round(between(-8, 8));
    if (random() < 1 / (5 * TICKS_AN_HOUR)) corrected += 1;

    const load = isBusy ? (isStarved ? between(10, 60) : isValidation ? 78 : 96) : 0;
    const utilization = isBusy ? within(load + loadNoise(), 0, 100) : 0;
    const power = isBusy ? within(70 + 3.1 * utilization + powerNoise(), 60, 400) : within(58 + normal(), 50, 90);
    heat += 0.02 * (32 + 0.11 * power - heat) + 0.05 * normal();
    energy += Math.max(1, Math.round(power + 3 * normal()));
    const isCapped = power > 372;
    return {
      utilization: Math.round(utilization),
      memoryUtilization: isBusy ? Math.round(within(0.62 * utilization + memoryNoise(), 0, 100)) : 0,
      memoryUsed: isTraining ? memoryUsed : 3 * MIB,
      memoryReserved: isTraining ? 9 * 512 * MIB : 512 * MIB,
      power: Math.round(power),
      temperature: Math.round(heat),
      memoryTemperature: Math.round(heat + 6),
      clockSm: isBusy ? 15 * Math.round((isCapped ? 1335 + clockNoise() : 1395) / 15) : 210,
      clockMem: isTraining ? 1593 : 1215,
      pcieRx: isBusy ? traffic(2.4e9, 0.2, normal) : traffic(1.2e5, 0.1, normal),
      pcieTx: isBusy ? traffic(3.1e8, 0.2, normal) : traffic(9e4, 0.1, normal),
      throttle: isBusy ? (isCapped ? 4 : 0) : 1,
      fan: Math.round(within(1.4 * heat - 30, 30, 100)),
      energy,
      eccCorrected: corrected,
      rowRemapPending: isTraining ? 0 : 8,
    };
  };
};

/** Bytes a second, around `level`, never below 0. */
const traffic = (level: number, spread: number, normal: () => number): number =>
  Math.max(0, Math.round(level * (1 + spread * normal())));

const within = (value: number, low: number, high: number): number => Math.min(high, Math.max(low, value));

/** Box and Muller: mean 0, standard deviation 1. */
const createNormal = (random: () => number) => (): number =>
  Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
