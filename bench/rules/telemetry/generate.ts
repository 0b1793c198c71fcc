import { throttleReasons } from '../../../src/core/metrics.ts';
import type { Phase } from '../../../src/core/trace.ts';
import { createRandom } from '../random.ts';
import type { Scenario, TraceEvent } from '../scenario.ts';
import { CLEAN_KINDS } from './clean-kinds.ts';
import { FAULT_KINDS } from './fault-kinds.ts';
import { drawMachine } from './machine.ts';
import type { Kind, Second, TrainingPhase } from './second.ts';
import { simulate } from './simulate.ts';

/** The kinds of training that are seen by their samples (RULES 5.2). */
export const TELEMETRY_KINDS = { clean: Object.keys(CLEAN_KINDS), fault: Object.keys(FAULT_KINDS) } as const;

/** What is known beside the samples: memory of GPU and host in MiB, and how many epochs are planned. */
export type Facts = { readonly gpuMemory: number; readonly ram: number; readonly plannedEpochs: number };

/** A training of some kind with a sample a second of its GPU and its host; its rows say only that they were written. */
export const generateTelemetry = (kind: string, seed: number): Scenario => {
  const letters = [...kind].reduce((total, letter, i) => total + letter.charCodeAt(0) * (i + 1), 0);
  const random = createRandom(seed * 6151 + letters * 7907);
  const machine = drawMachine(random, kind);
  const harmless = new Map<string, Kind>(Object.entries(CLEAN_KINDS)).get(kind);
  const fault = new Map<string, Kind>(Object.entries(FAULT_KINDS)).get(kind);
  const course = (harmless ?? fault)?.(random, machine);
  if (!course) throw new Error(`${kind} is not a kind of telemetry scenario`);
  const labels = course.labels ?? [];
  const length = course.durationS ?? machine.durationS;
  const emptyAt = Math.max(...labels.map((label) => label.emptyAt ?? 0));
  const plannedS = emptyAt > 0 ? emptyAt * random.uniform(1.1, 2.2) : length * random.uniform(1, 1.5);
  const { trainS, valS, evalS, saveS, pauseS, gpuMemory, ram } = machine;
  const plannedEpochs = epochsIn(plannedS, trainS + valS + evalS + saveS + pauseS);
  const seconds = simulate(random, machine, course, kind);
  return {
    ...{ scale: 'seconds', kind, seed, clean: harmless !== undefined, length, labels },
    trace: traceOf({ gpuMemory, ram, plannedEpochs }, seconds),
  };
};

/** How many epochs a training plans that is to last so long. */
export const epochsIn = (plannedS: number, epochS: number): number => Math.max(1, Math.ceil(plannedS / epochS));

const MIB = 2 ** 20;
const MB = 1e6;

/** What a training says of itself; computing metrics belongs to validation there. */
const SAID: Readonly<Record<TrainingPhase, Phase>> = {
  start: 'start',
  train: 'train',
  val: 'val',
  eval: 'val',
  save: 'save',
  between: 'between',
};

/** Tells seconds as a trace does. */
export const traceOf = (facts: Facts, seconds: readonly Second[]): readonly TraceEvent[] => {
  let rows = 0;
  let processSince = 0;
  let phase: Phase | null = null;
  const trace: TraceEvent[] = [{ t: 0, kind: 'args', epochs: facts.plannedEpochs }];
  for (const second of seconds) {
    const t = 1000 * second.t;
    const said = SAID[second.phase];
    if (said !== phase) {
      if (said === 'start') processSince = second.t;
      phase = said;
      trace.push({ t, kind: 'phase', epoch: rows + 1, phase });
    }
    if (second.row) {
      rows++;
      trace.push({ t, kind: 'epoch', epoch: rows, elapsedS: second.t - processSince, metrics: {} });
    }
    trace.push(gpuEvent(t, second, facts), hostEvent(t, second, facts));
  }
  return trace;
};

const gpuEvent = (t: number, second: Second, { gpuMemory }: Facts): TraceEvent => ({
  ...{ t, kind: 'gpu', gpu: 0, utilization: second.utilization },
  memoryUsed: second.memory * MIB,
  memoryTotal: gpuMemory * MIB,
  runMemory: second.runMemory * MIB,
  power: second.power,
  temperature: second.temperature,
  clockSm: second.clock,
  throttle: throttleReasons(second.throttle) ?? [],
});

const hostEvent = (t: number, second: Second, { ram }: Facts): TraceEvent => ({
  ...{ t, kind: 'host', cpu: second.cpu, cpuIowait: second.iowait },
  pressureCpu: second.pressureCpu,
  pressureIo: second.pressureIo,
  diskBusy: second.diskBusy,
  diskRead: second.diskRead * MB,
  memoryUsed: second.ramUsed * MIB,
  memoryTotal: ram * MIB,
  diskFree: second.diskFree * MIB,
  workersCpu: second.workersCpu,
  workersBlocked: second.workersBlocked,
});
