// One scenario, read by all three ways to the GPUs: what a way can know, it tells as the others do.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { chooseFields, parseKnownFields } from '../../../src/collectors/gpu/csv.ts';
import { createNvidiaSmiCollector } from '../../../src/collectors/gpu/nvidia-smi.ts';
import { createXmlCollector } from '../../../src/collectors/gpu/xml.ts';
import type { Batch } from '../../../src/core/batch.ts';
import { systemClock as clock } from '../../../src/core/clock.ts';
import { GPU_METRICS } from '../../../src/core/metrics.ts';
import type { Collector } from '../../../src/core/ports.ts';
import { installNvidiaSmi } from '../../simulators/fake-program.js';
import { helpText } from '../../simulators/nvidia-smi-fields.js';
import { noCompiler } from '../../simulators/nvml/build.js';
import { DRIVERS } from '../../simulators/nvml/generations.js';
import { createNvmlStage, gather, noteOn, openNvmlCollector, valuesOn } from './nvml-stage.ts';
import { createLog } from './stage.ts';

const A100 = { name: 'NVIDIA A100-SXM4-80GB', memoryMib: 81_920, powerLimit: 400 };
const GPUS = [
  { ...A100, uuid: 'GPU-a' },
  { ...A100, uuid: 'GPU-b' },
  { uuid: 'GPU-r', name: 'NVIDIA GeForce RTX 4090', memoryMib: 24_564, powerLimit: 450 },
];
const MOVES_AT_S = 60;
/** Of the driver's sensors and of the loop modes: what was true before is not read any more after this. */
const SETTLED_MS = 1500;
const INTERVAL_MS = 100;
const WAYS = ['NVML', 'CSV', 'XML'] as const;
/** By how much the ways may differ: nvidia-smi prints hundredths of a watt, and NVML's rates come from two readings. */
const ROUNDING: Readonly<Record<string, (value: number) => number>> = {
  power: () => 0.01,
  pcieRx: (value) => value / 100,
  pcieTx: (value) => value / 100,
};

/** What docs/gpu.md says of each metric on each way: the reason why it is null there, or null where it is not. */
const DOCUMENTED = readFileSync('docs/gpu.md', 'utf8')
  .split('\n')
  .map((line) => line.split('|').map((cell) => cell.trim()))
  .flatMap(([, metric = '', , ...cells]) =>
    metric in GPU_METRICS
      ? [{ metric, why: WAYS.map((_, place) => /^null: (.*)/.exec(cells[place] ?? '')?.[1] ?? null) }]
      : [],
  );

/** The three collectors as the service starts them, on one machine where a load moves from one GPU to another. */
const start = (t: Test) => {
  const now = Date.now();
  const stage = createNvmlStage(t, {
    // It runs, since rates and counters need that, and nothing but the move changes with it.
    clock: { startAt: now, wallStartAt: now, speed: 1, steppedMs: 45_000 },
    driver: DRIVERS[580],
    gpus: GPUS,
    trainings: [],
    processes: [
      { pid: 4711, name: 'python', memoryMib: 30_000, gpu: 0, utilization: 83, toS: MOVES_AT_S },
      { pid: 4712, name: 'python', memoryMib: 12_345, gpu: 1, utilization: 41, fromS: MOVES_AT_S },
      { pid: 4713, name: 'python', memoryMib: 900, gpu: 2, utilization: 17 },
    ],
    incidents: [
      { kind: 'ecc', gpu: 0, atS: 20, corrected: 7, uncorrected: 2 },
      { kind: 'replays', gpu: 1, atS: 30, count: 5 },
      { kind: 'rows', gpu: 1, atS: 40, uncorrected: 1, pending: true },
    ],
  });
  const folder = t.testdir({});
  const path = installNvidiaSmi({ folder, simulationFile: stage.simulationFile });
  const before = process.env.PATH;
  process.env.PATH = `${folder}:${before}`;
  t.teardown(() => {
    process.env.PATH = before;
  });
  const fields = chooseFields(parseKnownFields(helpText(DRIVERS[580])));
  const csv = createNvidiaSmiCollector({ path, fields, intervalMs: INTERVAL_MS, clock, log: createLog().log });
  t.teardown(() => csv.close?.());
  const sources = { procfs: '/proc', passwd: join(folder, 'passwd') };
  const xml = createXmlCollector({ everyMs: 5000, clock, sources, pidsAreForeign: null });
  const nvml = openNvmlCollector(t, stage, { intervalMs: INTERVAL_MS });
  return { ...stage, ways: { NVML: nvml, CSV: csv, XML: xml } };
};

/** All that a way tells of this moment; once PCIe rates are there too, for which a late tick has none. */
const settled = async (collector: Collector): Promise<Batch> => {
  const since = Date.now() + SETTLED_MS;
  collector.startOver?.();
  const isWhole = (told: Batch) =>
    (told.samples?.at(-1)?.at ?? 0) > since && GPUS.every(({ uuid }) => valuesOn(told, uuid).at(-1)?.pcieRx !== null);
  return gather(collector, (told) => isWhole(told) && told.gpus !== undefined);
};

/** Holds one metric of one GPU, as each way tells it, to the others and to the table. */
const compare = (t: Test, told: readonly Batch[], uuid: string, { metric, why }: (typeof DOCUMENTED)[number]): void => {
  const values = told.map((batch) => valuesOn(batch, uuid).at(-1)?.[metric] ?? null);
  const [reference = null] = values.filter((_, place) => why[place] === null);
  for (const [place, way] of WAYS.entries()) {
    const named = `${metric} of ${uuid} by ${way}`;
    const value = values[place] ?? null;
    const reason = told[place] && noteOn(told[place], uuid)?.absent[metric];
    if (value === null) t.equal(typeof reason, 'string', `${named} is null with a reason`);
    if (why[place] !== null) t.same([value, reason], [null, why[place]], named);
    else if (value === null || reference === null) t.equal(value, reference, named);
    else t.ok(Math.abs(value - reference) <= (ROUNDING[metric]?.(reference) ?? 0), `${named}: ${value}, ${reference}`);
  }
};

t.test('one scenario read by NVML, as CSV and as XML gives the same samples', { skip: noCompiler }, async (t) => {
  const { ways, step } = start(t);
  const look = () => Promise.all(WAYS.map((way) => settled(ways[way])));
  const before = await look();
  step(45_000);
  const after = await look();

  const loads = [before, after].map((told) => told.map((batch) => valuesOn(batch, 'GPU-a').at(-1)?.utilization));
  t.same(loads, [
    [83, 83, 83],
    [0, 0, 0],
  ]);
  for (const told of [before, after]) {
    for (const { uuid } of GPUS) for (const row of DOCUMENTED) compare(t, told, uuid, row);
    const [byNvml, ...others] = told.map(({ gpus }) => gpus);
    for (const gpus of others) t.same(gpus, byNvml, 'the GPUs themselves');
  }
  for (const [place, way] of WAYS.entries()) {
    const told = [before[place] ?? {}, after[place] ?? {}];
    const isKnown = (metric: string) =>
      told.some(({ samples = [] }) => samples.some(({ values }) => typeof values[metric] === 'number'));
    t.same(
      DOCUMENTED.filter(({ metric }) => !isKnown(metric)).map(({ metric }) => metric),
      DOCUMENTED.filter(({ why }) => why[place] !== null).map(({ metric }) => metric),
      `what is null for every GPU by ${way} is what docs/gpu.md says`,
    );
  }
});
