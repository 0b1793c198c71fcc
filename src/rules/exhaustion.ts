import { type MemoryBlock, type MemoryGrowth, measureGrowth } from './memory-growth.ts';
import type { Parameters, ParameterValues } from './rule.ts';

/** What a store of bytes (memory, a disk) may grow before it is told of. */
export const EXHAUSTION_PARAMETERS = {
  blockS: {
    default: 60,
    minimum: 10,
    maximum: 3600,
    unit: 's',
    description: 'length of the blocks whose means are compared',
  },
  skippedBlocks: {
    default: 3,
    minimum: 0,
    maximum: 50,
    unit: 'blocks',
    description: 'first blocks that are left out: caches fill',
  },
  fewestBlocks: { default: 6, minimum: 4, maximum: 14, unit: 'blocks', description: 'blocks that a forecast needs' },
  mostBlocks: {
    default: 14,
    minimum: 6,
    maximum: 24,
    unit: 'blocks',
    description: 'newest blocks that it is drawn from',
  },
  trend: { default: 2.5, minimum: 1, maximum: 10, unit: 'z', description: "Kendall's z from which on it grows" },
  trendSure: { default: 3.3, minimum: 1, maximum: 10, unit: 'z', description: 'as trend; one finding is enough then' },
  trendClear: { default: 1, minimum: 0, maximum: 10, unit: 'z', description: 'below this it grows no more' },
  growthShare: {
    default: 0.01,
    minimum: 0,
    maximum: 0.5,
    unit: '',
    description: 'least growth, as a share of the whole',
  },
  jumpShare: {
    default: 0.5,
    minimum: 0.1,
    maximum: 1,
    unit: '',
    description: 'growth that came so much in one jump is none',
  },
  logMisfit: {
    default: 0.7,
    minimum: 0,
    maximum: 1,
    unit: '',
    description: 'growth that the logarithm of time fits so much better levels off',
  },
  slowedShare: {
    default: 0.4,
    minimum: 0,
    maximum: 1,
    unit: '',
    description: 'so does growth whose newest slope is below this share of the whole',
  },
  horizonS: {
    default: 14_400,
    minimum: 600,
    maximum: 604_800,
    unit: 's',
    description: 'forecasts further ahead say nothing',
  },
  criticalS: {
    default: 1800,
    minimum: 60,
    maximum: 86_400,
    unit: 's',
    description: 'a forecast below this is critical',
  },
} as const satisfies Parameters;

export type ExhaustionLimits = ParameterValues<typeof EXHAUSTION_PARAMETERS>;

/** How full something was over time. Plain JSON; bytes, ms. */
export type Filling = {
  mean: number | null;
  since: number | null;
  ended: number;
  lastAt: number | null;
  blocks: MemoryBlock[];
};

export const newFilling = (): Filling => ({ mean: null, since: null, ended: 0, lastAt: null, blocks: [] });

/** Weight of the newest sample in the running mean of a block: what comes and goes within seconds is not growth. */
const WEIGHT = 0.05;
/** Samples further apart than this, ms, are not of one course. */
const LONGEST_GAP_MS = 120_000;

/** Takes how much is used; true when a block ended, so that it is time to judge. */
export const fill = (filling: Filling, at: number, used: number, limits: ExhaustionLimits): boolean => {
  if (filling.lastAt !== null && at - filling.lastAt > LONGEST_GAP_MS) Object.assign(filling, newFilling());
  filling.lastAt = at;
  filling.since ??= at;
  filling.mean = filling.mean === null ? used : filling.mean + WEIGHT * (used - filling.mean);
  if (at - filling.since < limits.blockS * 1000) return false;
  filling.ended += 1;
  if (filling.ended > limits.skippedBlocks) {
    filling.blocks.push({ at: (filling.since + at) / 2, used: filling.mean, others: null });
    if (filling.blocks.length > limits.mostBlocks) filling.blocks.shift();
  }
  filling.mean = null;
  filling.since = at;
  return true;
};

/** How it will go on. `leftS`: seconds until full. */
export type Forecast =
  | { readonly kind: 'grows'; readonly growth: MemoryGrowth; readonly leftS: number; readonly isSure: boolean }
  | { readonly kind: 'steady' }
  | { readonly kind: 'unclear' };

/** Says when `full` bytes are reached at the pace of the last blocks. */
export const forecast = ({ blocks }: Filling, full: number, limits: ExhaustionLimits): Forecast => {
  if (blocks.length < limits.fewestBlocks) return { kind: 'unclear' };
  const growth = measureGrowth(blocks, (limits.skippedBlocks + 0.5) * limits.blockS);
  const room = full - growth.now;
  const grows =
    growth.z >= limits.trend &&
    growth.bytes > limits.growthShare * full &&
    growth.logMisfit >= limits.logMisfit &&
    growth.newestShare >= limits.slowedShare &&
    growth.jumpShare < limits.jumpShare &&
    growth.smallestSlope > 0 &&
    room / growth.smallestSlope < limits.horizonS;
  if (grows) {
    const leftS = Math.max(0, room / growth.slope);
    return { kind: 'grows', growth, leftS, isSure: growth.z >= limits.trendSure || leftS < 2 * limits.criticalS };
  }
  return growth.z < limits.trendClear || growth.newestShare <= 0.1 ? { kind: 'steady' } : { kind: 'unclear' };
};
