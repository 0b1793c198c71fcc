import type { AnyRule, EpochInput, Input, RunContext, Verdict } from '../../src/rules/rule.ts';

const GIB = 2 ** 30;

/** What a second of the simulated training looks like. Percent, GiB, NVML's throttle bits. */
export type Second = {
  utilization: number;
  memory: number;
  runMemory: number | null;
  throttle: number;
  power: number;
  workersCpu: number | null;
  cpu: number;
  cpuIowait: number;
  pressureIo: number;
  diskBusy: number;
};

export type Phase = 'start' | 'train' | 'validate' | 'idle';

export const RUN: RunContext = { id: 'r1', name: 'train', epochsPlanned: null, epochBase: 1, args: { batch: 16 } };
export const STARTED_AT = 1_757_000_000_000;
export const MEMORY_GIB = 40;
/** Usual length of an epoch, the last 10 s of which are 5 of validation and 5 idle; its row is written as the GPU goes idle. */
export const EPOCH_S = 60;
export const START_S = 20;

/**
 * Inputs of a training on one GPU of 40 GiB, one tick a second, noise from `seed`. `alter` makes the fault: it returns
 * the second as it shall be, or null for one of which no sample comes.
 */
export const simulateTraining = (options: {
  seconds: number;
  seed: number;
  epochS?: number;
  run?: RunContext;
  alter?: (second: Second, t: number, phase: Phase) => Second | null;
}): Input[] => {
  const random = seeded(options.seed);
  const { epochS = EPOCH_S, run = RUN, alter = (second) => second } = options;
  const inputs: Input[] = [];
  for (let t = 0; t < options.seconds; t++) {
    const at = STARTED_AT + t * 1000;
    const inEpoch = (t - START_S) % epochS;
    const phase = phaseOf(t, inEpoch, epochS);
    const rowWritten = phase === 'idle' && inEpoch === epochS - 5;
    const index = Math.floor((t - START_S) / epochS) + 1;
    if (rowWritten) inputs.push(epochInput(at, index, null, run));
    const second = alter(usualSecond(phase, random), t, phase);
    const gpus = second && [gpuOf('gpu:0', second)];
    const host = second && {
      cpu: second.cpu,
      cpuIowait: second.cpuIowait,
      pressureIo: second.pressureIo,
      diskBusy: second.diskBusy,
      diskRead: 60e6 * (second.utilization / 100),
      workersCpu: second.workersCpu,
    };
    inputs.push({ kind: 'tick', at, gpus, host, rowWritten, run });
  }
  return inputs;
};

/** What a rule reads of one GPU. */
export const gpuOf = (gpu: string, second: Second) => ({
  gpu,
  values: {
    utilization: second.utilization,
    memoryUsed: second.memory * GIB,
    memoryTotal: MEMORY_GIB * GIB,
    runMemory: second.runMemory === null ? null : second.runMemory * GIB,
    throttle: second.throttle,
    power: second.power,
  },
});

export const epochInput = (
  at: number,
  index: number,
  transition: EpochInput['transition'],
  run: RunContext = RUN,
): EpochInput => ({
  kind: 'epoch',
  at,
  row: { attempt: 1, epoch: index, at, atSource: 'mtime', elapsedS: null, runElapsedS: null, metrics: {} },
  index,
  transition,
  masked: false,
  sinceTransition: null,
  run,
});

/** One answer of a rule: second of the training, track, verdict. */
export type Answer = { readonly t: number; readonly track: string; readonly verdict: Verdict };

/** Gives a rule the inputs with its default parameters. The state goes through JSON now and then, as in the service. */
export const play = (rule: AnyRule, inputs: readonly Input[]): Answer[] => {
  const parameters = Object.fromEntries(
    Object.entries(rule.parameters).map(([name, parameter]) => [name, parameter.default]),
  );
  const answers: Answer[] = [];
  let state = rule.init();
  for (const [i, input] of inputs.entries()) {
    const [next, verdicts] = rule.step(state, input, parameters);
    state = i % 50 === 0 ? JSON.parse(JSON.stringify(next)) : next;
    for (const [track, verdict] of Object.entries(verdicts)) {
      if (verdict) answers.push({ t: (input.at - STARTED_AT) / 1000, track, verdict });
    }
  }
  return answers;
};

/** The breaches among the answers, with their second. */
export const breaches = (answers: readonly Answer[]) =>
  answers.flatMap(({ t, track, verdict }) => (verdict.kind === 'breach' ? [{ t, track, ...verdict }] : []));

/** The kind of verdict that a track got at a second. */
export const kindAt = (answers: readonly Answer[], track: string, t: number): string | undefined =>
  answers.find((answer) => answer.t === t && answer.track === track)?.verdict.kind;

const phaseOf = (t: number, inEpoch: number, epochS: number): Phase => {
  if (t < START_S) return 'start';
  if (inEpoch < epochS - 10) return 'train';
  return inEpoch < epochS - 5 ? 'validate' : 'idle';
};

const usualSecond = (phase: Phase, random: () => number): Second => {
  const utilization = { start: 0, train: 90 + 8 * random(), validate: 30 + 50 * random(), idle: 0 }[phase];
  const memory = phase === 'start' ? 4 : phase === 'train' ? 20 : 15 + 5 * random();
  return {
    utilization: Math.round(utilization),
    memory: memory + 1,
    runMemory: memory,
    throttle: 0,
    power: 60 + 3 * utilization,
    workersCpu: null,
    cpu: 40 + 10 * random(),
    cpuIowait: random(),
    pressureIo: random(),
    diskBusy: 10 + 10 * random(),
  };
};

/** mulberry32: the same numbers from 0 to 1 for the same seed. */
const seeded = (seed: number) => {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
};
