import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { type RawRow, traceOf as traceOfRows } from './epochs/generate.ts';
import type { Label, Scenario, Wanted } from './scenario.ts';
import { epochsIn, traceOf as traceOfSeconds } from './telemetry/generate.ts';
import type { Second, TrainingPhase } from './telemetry/second.ts';

/** The prototype's generators in `folder`, with Python's chance or ours (`lent`, which must give our own scenarios). */
export type Reference = { readonly folder: string; readonly chance: 'own' | 'lent' };

/** Has the Python generators make scenarios, one after the other. Throws when Python cannot be run or fails. */
export async function* referenceScenarios(
  { folder, chance }: Reference,
  wanted: readonly Wanted[],
): AsyncGenerator<Scenario> {
  const script = fileURLToPath(new URL('reference.py', import.meta.url));
  const python = spawn('python3', [script, folder, chance], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(python, 'close');
  python.stdin.end(wanted.map((one) => `${JSON.stringify(one)}\n`).join(''));
  let made = 0;
  for await (const line of createInterface({ input: python.stdout })) {
    const asked = wanted[made++];
    if (asked) yield scenarioOf(asked, line);
  }
  await ended;
  if (made < wanted.length) throw new Error(`reference.py made ${made} of ${wanted.length} scenarios`);
}

/** What reference.py writes: the generators' own words and numbers. */
type Answer = {
  readonly clean: boolean;
  readonly length: number;
  readonly labels: readonly RawLabel[];
} & (
  | { readonly values: readonly (readonly (number | string)[])[]; readonly meta: EpochMeta }
  | { readonly values: readonly (readonly (number | string | boolean)[])[]; readonly meta: TelemetryMeta }
);

type EpochMeta = {
  readonly epochs: number;
  readonly close_mosaic: number;
  readonly warmup: number;
  readonly cos: boolean;
  readonly lr0: number;
  readonly lrf: number;
  readonly lr_known: boolean;
};
type TelemetryMeta = { readonly planned: number; readonly Tep: number };

type RawLabel = {
  readonly rule: string;
  readonly start: number;
  readonly end: number;
  readonly deadline: number;
  readonly required: boolean;
  readonly cause?: string;
  readonly oom?: number | null;
  readonly k?: number | null;
  readonly sd?: number;
};

const RULE_IDS: Readonly<Record<string, string>> = {
  nan: 'loss_nan',
  throughput: 'throughput_drop',
  throttle: 'gpu_throttle',
  neighbor: 'neighbor_gpu',
  host_mem: 'host_memory',
  low_util: 'low_gpu_util',
};

const scenarioOf = ({ scale, kind, seed }: Wanted, line: string): Scenario => {
  // A foreign value: reference.py of this folder wrote it.
  const answer = JSON.parse(line) as Answer;
  const { clean, length, labels: raw } = answer;
  const labels = raw.map(labelOf);
  const trace =
    'epochs' in answer.meta ? rowsTrace(answer.meta, answer.values) : telemetryTrace(answer.meta, answer.values);
  return { scale, kind, seed, clean, length, labels, trace };
};

const labelOf = ({ rule, start, end, deadline, required, cause, oom, k, sd }: RawLabel): Label => {
  const grade = k ?? sd;
  return {
    ...{ rule: RULE_IDS[rule] ?? rule, start, end, deadline, required },
    ...(cause !== undefined && { cause }),
    ...(typeof oom === 'number' && { emptyAt: oom }),
    ...(grade !== undefined && { grade }),
  };
};

type Values = Answer['values'];

const rowsTrace = (meta: EpochMeta, values: Values) => {
  let before = 0;
  const rows = values.map((row): RawRow => {
    const [epoch, elapsedS, box, cls, dfl, vbox, vcls, vdfl, precision, recall, map50, map95, ...rates] =
      row.map(number);
    const took = numbered(elapsedS) - before;
    before = numbered(elapsedS);
    return {
      epoch: numbered(epoch),
      elapsedS: before,
      epochS: took > 0 ? took : before,
      draft: {
        train: { box: numbered(box), cls: numbered(cls), dfl: numbered(dfl) },
        val: { box: numbered(vbox), cls: numbered(vcls), dfl: numbered(vdfl) },
        ...{ precision: numbered(precision), recall: numbered(recall), map50: numbered(map50), map95: numbered(map95) },
      },
      rates,
    };
  });
  const { epochs, close_mosaic: closeMosaic, warmup: warmupEpochs, lr0, lrf, cos: cosLr } = meta;
  return traceOfRows({ epochs, closeMosaic, warmupEpochs, schedule: meta.lr_known ? { lr0, lrf, cosLr } : null }, rows);
};

const telemetryTrace = (meta: TelemetryMeta, values: Values) => {
  const seconds = values.map(secondOf);
  const [first = []] = values;
  const facts = { gpuMemory: numbered(number(first[3])), ram: numbered(number(first[18])) };
  return traceOfSeconds({ ...facts, plannedEpochs: epochsIn(meta.planned, meta.Tep) }, seconds);
};

const secondOf = (sample: Values[number]): Second => {
  const at = (column: number) => numbered(number(sample[column]));
  return {
    ...{
      t: at(0),
      utilization: at(1),
      memory: at(2),
      runMemory: at(4),
      power: at(5),
      clock: at(6),
      temperature: at(7),
    },
    ...{ throttle: at(8), cpu: at(9), iowait: at(10), pressureIo: at(11), pressureCpu: at(12), diskBusy: at(13) },
    ...{ diskRead: at(14), workersCpu: at(15), workersBlocked: at(16), ramUsed: at(17), diskFree: at(19) },
    row: sample[20] === true,
    // The phases of the prototype are those of telemetry/second.ts.
    phase: String(sample[21]) as TrainingPhase,
    otherMemory: at(22),
  };
};

const NOT_FINITE: Readonly<Record<string, number>> = {
  nan: Number.NaN,
  inf: Number.POSITIVE_INFINITY,
  '-inf': Number.NEGATIVE_INFINITY,
};

const number = (value: number | string | boolean | undefined): number =>
  typeof value === 'number' ? value : (NOT_FINITE[String(value)] ?? Number.NaN);
const numbered = (value: number | undefined): number => value ?? Number.NaN;
