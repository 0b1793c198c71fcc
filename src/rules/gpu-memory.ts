import type { Values } from '../core/sample.ts';
import type { MemoryBlock } from './memory-growth.ts';
import type { OomParameters } from './oom-parameters.ts';
import { type HeldMemory, restarted } from './process-restart.ts';
import { noteWork, notStarted, type TrainingStart } from './training-start.ts';

/** What was learned of one GPU's memory under one training process. Bytes. */
export type GpuMemory = {
  start: TrainingStart;
  rows: number;
  held: HeldMemory;
  /** Used and total now. */
  used: number;
  total: number;
  others: number | null;
  /** The most since training began, until the usual level is known; that level from then on. */
  usual: { used: number; others: number | null };
  usualKnown: boolean;
  /** Nearly full after a rise: the forecast has nothing to add. */
  full: boolean;
  /** Peak of the block that goes on, if any sample fell into it. */
  peak: { used: number; others: number | null } | null;
  ended: number;
  blocks: MemoryBlock[];
};

const KEPT_BLOCKS = 24;

export const newGpuMemory = (): GpuMemory => ({
  start: notStarted(),
  rows: 0,
  held: [],
  used: 0,
  total: 0,
  others: null,
  usual: { used: 0, others: null },
  usualKnown: false,
  full: false,
  peak: null,
  ended: 0,
  blocks: [],
});

/** Takes a sample; answers with the memory to go on with (a new one when the process began anew), null if it says nothing. */
export const addMemorySample = (
  before: GpuMemory,
  values: Values,
  at: number,
  elapsedS: number,
  parameters: OomParameters,
): GpuMemory | null => {
  const { memoryUsed: used, memoryTotal: total, runMemory = null, utilization = null } = values;
  if (used === null || used === undefined || total === null || total === undefined) return null;
  const memory = restarted(before.held, runMemory ?? used, parameters.restartShare)
    ? { ...newGpuMemory(), held: before.held }
    : before;
  const others = runMemory === null ? null : Math.max(0, used - runMemory);
  Object.assign(memory, { used, total, others });
  // A GPU that does not tell its utilization is taken to work.
  noteWork(memory.start, at, elapsedS, utilization === null || utilization >= parameters.workingUtilization);
  const { trainingSince } = memory.start;
  if (trainingSince === null) return memory;
  memory.peak = higher(memory.peak, used, others);
  if (!memory.usualKnown) {
    memory.usual = higher(memory.usual, used, others);
    memory.usualKnown = memory.rows >= parameters.levelEpochs || at - trainingSince > parameters.levelS * 1000;
  }
  return memory;
};

/** Ends the block that goes on; false when it held no sample. */
export const endBlock = (memory: GpuMemory, middleAt: number, skipped: number): boolean => {
  if (memory.peak === null) return false;
  memory.ended++;
  if (memory.ended > skipped) memory.blocks.push({ at: middleAt, ...memory.peak });
  if (memory.blocks.length > KEPT_BLOCKS) memory.blocks.shift();
  memory.peak = null;
  return true;
};

const higher = (
  before: { readonly used: number; readonly others: number | null } | null,
  used: number,
  others: number | null,
): { used: number; others: number | null } => ({
  used: Math.max(before?.used ?? 0, used),
  others: others === null ? (before?.others ?? null) : Math.max(before?.others ?? 0, others),
});
