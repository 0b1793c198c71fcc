import { readFileSync } from 'node:fs';
import t from 'tap';
import { FIELDS_OF_METRIC, NOT_IN_CSV } from '../../../src/collectors/gpu/csv.ts';
import { NOT_IN_XML, PLACES, THROTTLE_WORDS } from '../../../src/collectors/gpu/xml-places.ts';
import { GPU_METRICS, type GpuMetric } from '../../../src/core/metrics.ts';

/** The rows of the table of metrics in docs/gpu.md, by metric. */
const ROWS = new Map(
  readFileSync('docs/gpu.md', 'utf8')
    .split('\n')
    .map((line) => line.split('|').map((cell) => cell.trim()))
    .flatMap(([, metric = '', unit, , csv, xml]) =>
      metric in GPU_METRICS ? [[metric, { unit, csv, xml }] as const] : [],
    ),
);

type Sources = Readonly<Partial<Record<GpuMetric, readonly string[]>>>;
type Reasons = Readonly<Partial<Record<GpuMetric, string>>>;

/** The cells of one column, by metric. */
const columnOf = (sources: Sources, reasons: Reasons): ReadonlyMap<string, string> =>
  new Map([
    ...Object.entries(sources).map(
      ([metric, names]) => [metric, names.map((name) => `\`${name}\``).join(', ')] as const,
    ),
    ...Object.entries(reasons).map(([metric, why]) => [metric, `null: ${why}`] as const),
  ]);

t.test('the table in docs/gpu.md says of every metric where nvidia-smi has it, or why it has not', async (t) => {
  const metrics = Object.entries(GPU_METRICS).filter(([metric]) => metric !== 'xid' && metric !== 'runMemory');
  const csv = columnOf(FIELDS_OF_METRIC, NOT_IN_CSV);
  const xml = columnOf({ ...PLACES, throttle: THROTTLE_WORDS.map((word) => `${word}s`) }, NOT_IN_XML);
  t.same(
    [...ROWS],
    metrics.map(([metric, { unit }]) => [metric, { unit, csv: csv.get(metric), xml: xml.get(metric) }]),
  );
});
