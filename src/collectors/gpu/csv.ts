import type { ObservedGpu } from '../../core/batch.ts';
import type { GpuMetric } from '../../core/metrics.ts';
import { FIELDS_OF_METRIC, fieldReader, numberIn } from '../../core/nvidia-smi-fields.ts';
import type { Sample } from '../../core/sample.ts';
import { parsePciBusId } from './pci-bus-id.ts';

export { FIELDS_OF_METRIC };

/** One GPU in one line of `nvidia-smi --query-gpu`. */
export type GpuRow = {
  readonly index: number;
  /** GPUs that the driver counts in all, also those that it does not print. */
  readonly count: number | null;
  readonly gpu: ObservedGpu;
  readonly values: Sample['values'];
  /** Why a metric is null: the text that stood in the cell of a number, such as `[N/A]`, by metric. */
  readonly reasons: Readonly<Record<string, string>>;
};

/** The metrics that no field holds, with the reason for a person. */
export const NOT_IN_CSV: Readonly<Partial<Record<GpuMetric, string>>> = {
  utilizationMin: "only NVML gives the driver's ring of samples",
  utilizationMean: "only NVML gives the driver's ring of samples",
  pcieRx: 'nvidia-smi gives it as XML only',
  pcieTx: 'nvidia-smi gives it as XML only',
  energy: 'only NVML gives it',
  pcieReplays: 'nvidia-smi gives it as XML only',
};

/** Two names for one field: asking for both would only make the line longer. */
const SYNONYMS: readonly (readonly [string, string])[] = [
  ['clocks.current.sm', 'clocks.sm'],
  ['clocks.current.memory', 'clocks.mem'],
  ['clocks_event_reasons.active', 'clocks_throttle_reasons.active'],
];

/** The fields that `nvidia-smi --help-query-gpu` prints: lines such as `"uuid" or "gpu_uuid"`. */
export const parseKnownFields = (help: string): ReadonlySet<string> => {
  const known = new Set<string>();
  for (const line of help.split('\n')) {
    if (!/^"[^" ]+"( or "[^" ]+")*\s*$/.test(line)) continue;
    for (const [, name] of line.matchAll(/"([^"]+)"/g)) if (name !== undefined) known.add(name);
  }
  return known;
};

/**
 * The fields to ask, of those that the program knows. What identifies the GPU comes first and its name last: lines are
 * not quoted and a name may hold `, `. Empty when the program does not even know `uuid` and `index`.
 */
export const chooseFields = (known: ReadonlySet<string>): readonly string[] => {
  if (!known.has('uuid') || !known.has('index') || !known.has('name')) return [];
  const aliases = new Set(SYNONYMS.filter(([first]) => known.has(first)).map(([, second]) => second));
  const metrics = Object.values(FIELDS_OF_METRIC)
    .flat()
    .filter((field) => known.has(field) && !aliases.has(field));
  const identity = ['count', 'driver_version', 'pci.bus_id'].filter((field) => known.has(field));
  return ['uuid', 'index', ...identity, ...metrics, 'name'];
};

/** Why metrics are null in every line of these fields, by metric: no field holds them, or this program does not know it. */
export const csvAbsences = (fields: readonly string[]): Readonly<Record<string, string>> => {
  const unknown = Object.entries(FIELDS_OF_METRIC).flatMap(([metric, candidates]) =>
    candidates.some((field) => fields.includes(field))
      ? []
      : [[metric, `this nvidia-smi does not know ${candidates.join(' or ')}`]],
  );
  return { ...NOT_IN_CSV, ...Object.fromEntries(unknown) };
};

/**
 * Reads lines of `--format=csv,noheader,nounits` for these fields. A cell that is not a number is null, with its text
 * in `reasons`; MiB become bytes, Yes and No 1 and 0. null when a line is no such row: a message of the program, a line
 * that was cut off, or a GPU that does not say which one it is.
 *
 * It reads ten lines a second per GPU, of which little is new: the places of the fields are looked up once, and a `gpu`
 * or `reasons` that is as it was is the same object as before.
 */
export const createGpuRowParser = (fields: readonly string[]): ((line: string) => GpuRow | null) => {
  const place = (field: string): number => fields.indexOf(field);
  const [uuidAt, indexAt, countAt, driverAt, busAt] = ['uuid', 'index', 'count', 'driver_version', 'pci.bus_id'].map(
    place,
  );
  const columns = Object.entries(FIELDS_OF_METRIC).flatMap(([metric, candidates]) => {
    const asked = candidates.filter((field) => fields.includes(field));
    const places = asked.map((field) => ({ at: place(field), read: fieldReader(field) }));
    return places.length === 0 ? [] : [{ metric, places }];
  });
  const unknown = Object.fromEntries(columns.map(({ metric }) => [metric, null]));
  /** What a GPU was said to be, by its UUID, and the text of it. */
  const known = new Map<string, Pick<GpuRow, 'gpu' | 'reasons'> & { readonly text: string }>();

  return (line) => {
    const cells = line.trimEnd().split(', ');
    if (cells.length < fields.length) return null;
    const cell = (at: number | undefined): string | undefined => cells[at ?? -1];
    const uuid = cell(uuidAt);
    const index = numberIn(cell(indexAt));
    if (uuid === undefined || !/^(GPU|MIG)-/.test(uuid) || index === null) return null;

    // A copy has its keys already: adding them one by one costs more than all the rest.
    const values: Record<string, number | null> = { ...unknown };
    const absent: [metric: string, text: string][] = [];
    for (const { metric, places } of columns) {
      let value: number | null = null;
      for (const { at, read } of places) value ??= read(cell(at));
      values[metric] = value;
      if (value === null) absent.push([metric, cell(places[0]?.at) ?? '']);
    }

    const name = cells.slice(fields.length - 1).join(', ');
    const { memoryTotal = null, powerLimit = null } = values;
    const text = [index, cell(driverAt), cell(busAt), memoryTotal, powerLimit, name, ...absent].join('\n');
    let lasting = known.get(uuid);
    if (lasting?.text !== text) {
      const pciBusId = parsePciBusId(cell(busAt) ?? '');
      const gpu = {
        uuid,
        index,
        name: textIn(name),
        driver: textIn(cell(driverAt)),
        memoryTotal,
        powerLimit,
        pciBusId,
      };
      lasting = { text, gpu, reasons: Object.fromEntries(absent) };
      known.set(uuid, lasting);
    }
    return { index, count: numberIn(cell(countAt)), gpu: lasting.gpu, values, reasons: lasting.reasons };
  };
};

const textIn = (cell: string | undefined): string | null =>
  cell === undefined || cell === '' || /^\[.*\]$/.test(cell) || cell === 'N/A' ? null : cell;
