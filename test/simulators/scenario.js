/**
 * A simulated training as a function of time. The trainer, the fake nvidia-smi and the fake /proc all compile the same
 * plan, so what one writes and the others show belong together. Deterministic: the same plan gives the same numbers.
 *
 * @typedef {object} TrainingPlan
 * @property {string} name folder name of the run
 * @property {number} startS seconds after the simulation's start
 * @property {number} epochs
 * @property {number} secondsPerEpoch when nothing stalls
 * @property {number} seed
 * @property {number} [gpu] index, 0
 * @property {number} [mig] the place of a MIG instance in its GPU's list, where it runs on one
 * @property {number} [pid] where no trainer writes its own into the pid file
 * @property {number} [memoryMib] what the training holds at its height, 24000
 * @property {{ epoch: number, factor: number }} [lossSpike] the train losses of one epoch are `factor` times as high
 * @property {{ fromEpoch: number, toEpoch: number, amplitude: number, period: number }} [oscillation] of the mAP
 * @property {{ fromS: number, toS: number, gapS: number, everyS: number, cause: 'disk' | 'cpu' }} [stall] seconds after
 *   the run's start; in it the GPU waits `gapS` of every `everyS` seconds for data
 * @property {{ fromEpoch: number, mibPerEpoch: number }} [leak] memory grows until the GPU is full and the run fails
 * @property {number} [nanFromEpoch] the train losses are NaN from this epoch on
 * @property {Record<string, unknown>} [args] of args.yaml, over the usual ones
 *
 * @typedef {object} GpuPlan
 * @property {string} uuid
 * @property {string} name
 * @property {number} memoryMib
 * @property {number} powerLimit W
 * @property {MigPlan[]} [mig] instances that it is cut into
 *
 * @typedef {object} MigPlan
 * @property {number} slot its index; slots between may be empty
 * @property {string} uuid MIG-…
 * @property {string} profile such as 3g.20gb
 * @property {number} gpuInstance
 * @property {number} computeInstance
 * @property {number} memoryMib
 * @property {number} multiprocessors
 *
 * @typedef {object} ProcessPlan somebody else's work on a GPU
 * @property {number} pid
 * @property {string} name
 * @property {number} memoryMib
 * @property {number} [gpu] index, 0
 * @property {number} [mig] as of a training
 * @property {number} [fromS] seconds after the simulation's start
 * @property {number} [toS]
 * @property {number} [utilization] %, 0
 *
 * @typedef {{ atS: number, gpu: number } & ({ kind: 'xid', code: number }
 *   | { kind: 'ecc', corrected?: number, uncorrected?: number }
 *   | { kind: 'rows', corrected?: number, uncorrected?: number, pending?: boolean, failed?: boolean }
 *   | { kind: 'replays', count: number })} Incident what happens to a GPU at a second of the simulation, and stays
 *
 * @typedef {object} Simulation what the environment variable SIGNALBOX_SIMULATION names the JSON file of
 * @property {import('./clock.js').ClockNumbers} clock
 * @property {string} driver
 * @property {GpuPlan[]} gpus
 * @property {TrainingPlan[]} trainings
 * @property {ProcessPlan[]} [processes]
 * @property {Incident[]} [incidents]
 * @property {string} [pidFolder] each trainer writes its pid to `NAME.pid` there
 * @property {import('./nvidia-smi-faults.js').Fault | undefined} [fault] what the fake nvidia-smi does wrong; read again whenever
 *   the file changes
 *
 * @typedef {'before' | 'startup' | 'train' | 'val' | 'save' | 'ended'} Phase
 * @typedef {{ phase: Phase, epoch: number, share: number, stalled: boolean }} Moment `share` of the training part done
 * @typedef {ReturnType<typeof compileTraining>} Training
 */

export const STARTUP_S = 30;
const VAL_SHARE = 0.1;
const SAVE_S = 2;
const IDLE_MEMORY_MIB = 4;

/**
 * Lays a plan out second by second: a stall makes its epoch longer, a leak ends the run where the memory does.
 * @param {TrainingPlan} plan
 * @param {GpuPlan} gpu
 */
export const compileTraining = (plan, gpu) => {
  const random = noise(plan.seed);
  const { stall, leak, secondsPerEpoch, epochs } = plan;
  const trainS = secondsPerEpoch * (1 - VAL_SHARE) - SAVE_S;
  const valS = secondsPerEpoch * VAL_SHARE;
  const top = plan.memoryMib ?? 24_000;

  /** @param {number} runS */
  const isStalled = (runS) =>
    stall !== undefined && runS >= stall.fromS && runS < stall.toS && (runS - stall.fromS) % stall.everyS < stall.gapS;

  /** @param {number} epoch */
  const heldIn = (epoch) => top + (leak === undefined ? 0 : Math.max(0, epoch - leak.fromEpoch) * leak.mibPerEpoch);

  /** Ends of the training part and of the whole epoch, in seconds of the run. @type {{ startS: number, trainedS: number, endS: number }[]} */
  const laps = [];
  let failsIn = /** @type {number | null} */ (null);
  for (let at = STARTUP_S; laps.length < epochs && failsIn === null; ) {
    const startS = at;
    for (let worked = 0; worked < trainS; at += 1) if (!isStalled(at)) worked += 1;
    laps.push({ startS, trainedS: at, endS: at + valS + SAVE_S });
    at += valS + SAVE_S;
    if (heldIn(laps.length + 1) > gpu.memoryMib * 0.99) failsIn = laps.length + 1;
  }
  const lapsEndS = laps.at(-1)?.endS ?? STARTUP_S;
  const endS = failsIn === null ? lapsEndS : lapsEndS + trainS / 2;

  /** @param {number} t seconds after the simulation's start @returns {Moment} */
  const momentAt = (t) => {
    const runS = t - plan.startS;
    if (runS < 0) return { phase: 'before', epoch: 0, share: 0, stalled: false };
    if (runS < STARTUP_S) return { phase: 'startup', epoch: 0, share: runS / STARTUP_S, stalled: false };
    if (runS >= endS) return { phase: 'ended', epoch: laps.length, share: 1, stalled: false };
    const index = laps.findIndex((lap) => runS < lap.endS);
    const lap = laps[index];
    if (lap === undefined) return { phase: 'train', epoch: laps.length + 1, share: 0.5, stalled: false };
    const epoch = index + 1;
    if (runS < lap.trainedS) {
      const share = (runS - lap.startS) / (lap.trainedS - lap.startS);
      return { phase: 'train', epoch, share, stalled: isStalled(Math.floor(runS)) };
    }
    return { phase: runS < lap.trainedS + valS ? 'val' : 'save', epoch, share: 1, stalled: false };
  };

  return {
    plan,
    laps,
    /** Seconds of the run; relative to `plan.startS`. */
    endS,
    /** The epoch in which the GPU's memory is full, or null: the run then ends with CUDA out of memory. */
    failsIn,
    momentAt,
    /** Columns of results.csv after epoch and time, by name. @param {number} epoch */
    rowOf: (epoch) => rowOf(plan, epoch, random),
    /** Is it on its GPU at a time? @param {number} t */
    isOn: (t) => !['before', 'ended'].includes(momentAt(t).phase),
    /** What this training does to its GPU at a time. @param {number} t @returns {Load} */
    gpuAt: (t) => loadOf(momentAt(t), heldIn, random, Math.floor(t)),
  };
};

/**
 * @typedef {{ utilization: number, memoryUtilization: number, memoryMib: number }} Load
 * @typedef {Load & { power: number, temperature: number,
 *   clockSm: number, clockMem: number, throttle: number }} GpuState
 */

/**
 * The state of a GPU: that of all that is on it, else idle.
 * @param {GpuPlan} gpu
 * @param {readonly Load[]} loads
 * @returns {GpuState}
 */
export const gpuStateOf = (gpu, loads) => {
  const utilization = totalOf(loads, (load) => load.utilization, 100);
  const share = utilization / 100;
  const power = Math.min(gpu.powerLimit, 38 + share * gpu.powerLimit * 0.83);
  return {
    utilization,
    memoryUtilization: totalOf(loads, (load) => load.memoryUtilization, 100),
    memoryMib: loads.length === 0 ? IDLE_MEMORY_MIB : totalOf(loads, (load) => load.memoryMib, gpu.memoryMib),
    power,
    temperature: Math.round(32 + (power / gpu.powerLimit) * 38),
    clockSm: share > 0 ? 1410 : 210,
    clockMem: 1215,
    throttle: share === 0 ? 0x1 : power > gpu.powerLimit * 0.94 ? 0x4 : 0,
  };
};

/** @param {readonly Load[]} loads @param {(load: Load) => number} amountOf @param {number} most */
const totalOf = (loads, amountOf, most) =>
  Math.min(
    most,
    loads.reduce((sum, load) => sum + amountOf(load), 0),
  );

/**
 * @param {Moment} moment
 * @param {(epoch: number) => number} heldIn
 * @param {(key: string) => number} random
 * @param {number} second
 */
const loadOf = ({ phase, epoch, share, stalled }, heldIn, random, second) => {
  const jitter = random(`util ${second}`);
  const held = heldIn(epoch);
  if (phase === 'startup') return { utilization: 0, memoryUtilization: 0, memoryMib: Math.round(400 + 2000 * share) };
  if (phase === 'save') return { utilization: 2, memoryUtilization: 1, memoryMib: Math.round(held * 0.55) };
  if (phase === 'val')
    return { utilization: Math.round(72 + 6 * jitter), memoryUtilization: 30, memoryMib: Math.round(held * 0.7) };
  if (stalled) return { utilization: jitter > 0.8 ? 3 : 0, memoryUtilization: 0, memoryMib: Math.round(held) };
  // The caching allocator fills up in the first tenth of an epoch and stays there.
  const filled = Math.min(1, 0.8 + 2 * share);
  return {
    utilization: Math.max(0, Math.min(100, Math.round(95 + 3 * jitter))),
    memoryUtilization: Math.round(55 + 4 * jitter),
    memoryMib: Math.round(held * filled + 12 * jitter),
  };
};

/**
 * @param {TrainingPlan} plan
 * @param {number} epoch
 * @param {(key: string) => number} random about a standard normal number for a key
 * @returns {Record<string, number>}
 */
const rowOf = (plan, epoch, random) => {
  const { lossSpike, oscillation, nanFromEpoch } = plan;
  /** @param {string} key @param {number} sigma */
  const about = (key, sigma) => 1 + sigma * random(`${key} ${epoch}`);
  const decay = epoch ** -0.12;
  const spike = lossSpike === undefined || epoch !== lossSpike.epoch ? 1 : lossSpike.factor;
  const broken = nanFromEpoch !== undefined && epoch >= nanFromEpoch ? Number.NaN : 1;
  const learned = 1 - 0.32 * Math.exp(-epoch / 7) - 0.02 * Math.exp(-epoch / 40);
  const wave =
    oscillation === undefined || epoch < oscillation.fromEpoch || epoch > oscillation.toEpoch
      ? 0
      : oscillation.amplitude * Math.sin((2 * Math.PI * (epoch - oscillation.fromEpoch)) / oscillation.period);
  const mAP50 = 0.945 * learned + wave + 0.0012 * random(`mAP ${epoch}`);
  const lr = learningRateOf(plan, epoch);
  return {
    'train/box_loss': 1.02 * decay * spike * broken * about('box', 0.006),
    'train/cls_loss': 1.35 * decay ** 2.2 * spike * broken * about('cls', 0.008),
    'train/dfl_loss': 1.12 * decay ** 0.5 * (1 + (spike - 1) / 3) * broken * about('dfl', 0.004),
    'metrics/precision(B)': mAP50 * 0.975 + 0.002 * random(`P ${epoch}`),
    'metrics/recall(B)': mAP50 * 0.955 + 0.002 * random(`R ${epoch}`),
    'metrics/mAP50(B)': mAP50,
    'metrics/mAP50-95(B)': mAP50 * 0.9 + 0.001 * random(`mAP95 ${epoch}`),
    'val/box_loss': 1.0 * decay * about('val box', 0.006),
    'val/cls_loss': 1.2 * decay ** 2 * about('val cls', 0.008),
    'val/dfl_loss': 1.1 * decay ** 0.5 * about('val dfl', 0.004),
    'lr/pg0': lr,
    'lr/pg1': lr,
    'lr/pg2': lr,
  };
};

/** Three epochs of warm-up, then a cosine from lr0 to a hundredth of it, as Ultralytics with `cos_lr`. @param {TrainingPlan} plan @param {number} epoch */
const learningRateOf = ({ epochs }, epoch) => {
  const cosine = ((1 - Math.cos(((epoch - 1) * Math.PI) / epochs)) / 2) * (0.01 - 1) + 1;
  return 0.01 * cosine * (epoch >= 3 ? 1 : 0.1 + 0.45 * (epoch - 1));
};

/**
 * Numbers that look like a standard normal noise and depend on nothing but seed and key.
 * @param {number} seed
 */
const noise = (seed) => (/** @type {string} */ key) => {
  let hash = 2166136261 ^ seed;
  for (const letter of key) hash = Math.imul(hash ^ letter.charCodeAt(0), 16777619);
  let sum = -2;
  for (let i = 0; i < 4; i++) {
    hash = Math.imul(hash ^ (hash >>> 15), 2246822507);
    hash = Math.imul(hash ^ (hash >>> 13), 3266489909);
    sum += ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
  }
  return sum * Math.sqrt(3);
};
