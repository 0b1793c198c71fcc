import type { Random } from '../random.ts';

/**
 * A machine with one GPU and the training on it, before anything happens. Seconds, %, W, MHz; memory and disk in MiB,
 * `diskRead` in MB/s.
 */
export type Machine = {
  readonly durationS: number;
  readonly trainS: number;
  readonly valS: number;
  /** Computing metrics after validation, with an idle GPU. */
  readonly evalS: number;
  readonly pauseS: number;
  readonly saveS: number;
  /** Every so many epochs a checkpoint is written. */
  readonly saveEvery: number;
  readonly gpuMemory: number;
  readonly cpus: number;
  readonly workers: number;
  readonly utilization: number;
  readonly utilizationNoise: number;
  readonly idlePower: number;
  readonly fullPower: number;
  readonly clock: number;
  readonly powerCapped: boolean;
  readonly otherMemory: number;
  readonly memory: number;
  /** What the first validation adds, and what records of the largest batch add in an hour. */
  readonly valMemory: number;
  readonly grownMemory: number;
  /** The allocator gives memory back between epochs. */
  readonly saws: boolean;
  readonly cpu: number;
  readonly workersCpu: number;
  readonly diskRead: number;
  readonly diskBusy: number;
  readonly iowait: number;
  readonly ram: number;
  readonly ramUsed: number;
  readonly diskFree: number;
  /** When a fault begins. */
  readonly faultAt: number;
};

const GIB = 1024;

/** Draws a machine and its training. */
export const drawMachine = (random: Random, kind: string): Machine => {
  const { uniform, choice, unit } = random;
  const is = (...kinds: readonly string[]) => kinds.includes(kind);
  const durationS = Math.floor(uniform(2400, 4200));
  let trainS = uniform(40, 200);
  if (is('short_epochs')) trainS = uniform(8, 20);
  const valS = Math.max(2, trainS * uniform(0.06, 0.2));
  let evalS = uniform(0.5, 3);
  if (is('long_val')) evalS = uniform(12, 45);
  const pauseS = uniform(0.5, 3);
  let saveS = uniform(0.3, 2);
  if (is('slow_ckpt')) saveS = uniform(5, 14);
  const saveEvery = is('slow_ckpt') ? choice([1, 1, 5]) : 1;
  const gpuMemory = choice([40_960, 81_920]);
  const cpus = choice([8, 16, 32, 64]);
  const workers = choice([4, 8, 8, 16]);
  let [utilization, utilizationNoise] = [uniform(88, 98), uniform(1.5, 6)];
  if (is('util_mod')) [utilization, utilizationNoise] = [uniform(62, 80), uniform(4, 8)];
  const idlePower = uniform(50, 65);
  const fullPower = uniform(300, 400);
  const powerCapped = is('powercap') || unit() < 0.3;
  if (is('small_model')) [utilization, utilizationNoise] = [uniform(35, 55), uniform(4, 9)];
  const otherMemory = uniform(300, 900);
  let memory = uniform(0.35, 0.8) * gpuMemory;
  if (is('mem_high_flat')) memory = uniform(0.9, 0.95) * gpuMemory;
  if (is('leak_gpu', 'leak_gpu_saw')) memory = uniform(0.45, 0.75) * gpuMemory;
  let valMemory = uniform(0, 0.06) * gpuMemory;
  let grownMemory = uniform(0, 0.02) * gpuMemory;
  if (is('mem_grow_flat')) [grownMemory, memory] = [uniform(0.06, 0.16) * gpuMemory, uniform(0.4, 0.62) * gpuMemory];
  if (is('mem_high_flat')) [valMemory, grownMemory] = [uniform(0, 0.008) * gpuMemory, uniform(0, 0.006) * gpuMemory];
  const saws = is('empty_cache_saw', 'leak_gpu_saw') || unit() < 0.35;
  let [cpu, workersCpu] = [uniform(25, 60), uniform(40, 80)];
  let [diskRead, diskBusy, iowait] = [uniform(20, 120), uniform(5, 35), uniform(0.2, 2)];
  if (is('cpu_busy_ok')) [cpu, workersCpu] = [uniform(86, 95), uniform(85, 97)];
  if (is('disk_busy_ok')) [diskBusy, diskRead, iowait] = [uniform(80, 96), uniform(400, 900), uniform(3, 9)];
  const ram = choice([64, 128, 256]) * GIB;
  const ramUsed = uniform(0.15, 0.4) * ram;
  const usualFree = uniform(60, 800) * GIB;
  const faultAt = Math.floor(uniform(0.3, 0.5) * durationS);
  const diskFree = is('disk_full') ? uniform(8, 40) * GIB : usualFree;
  return {
    ...{ durationS, trainS, valS, evalS, pauseS, saveS, saveEvery, gpuMemory, cpus, workers },
    ...{ utilization, utilizationNoise, idlePower, fullPower, clock: 1410, powerCapped },
    ...{ otherMemory, memory, valMemory, grownMemory, saws },
    ...{ cpu, workersCpu, diskRead, diskBusy, iowait, ram, ramUsed, diskFree, faultAt },
  };
};
