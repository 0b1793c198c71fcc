import type { ObservedGpu } from '../../core/batch.ts';
import { type GpuMetric, THROTTLE_BITS } from '../../core/metrics.ts';
import type { Values } from '../../core/sample.ts';

/** One GPU of `nvidia-smi -q -x`, and the processes that the log lists on it. */
export type XmlGpu = {
  readonly gpu: ObservedGpu;
  readonly values: Values;
  readonly processes: readonly { readonly pid: number; readonly memory: number | null; readonly name: string | null }[];
};

/** An element as xml2js makes it with `explicitArray: false`: text, an object of elements, or an array of either. */
type Element = unknown;

/**
 * Where each metric stands, over the element generations of drivers 352 to 595; the first number counts. What is there
 * decides, not the DTD's version: drivers of one DTD differ.
 */
const PLACES: Readonly<Partial<Record<GpuMetric, readonly string[]>>> = {
  utilization: ['utilization.gpu_util'],
  memoryUtilization: ['utilization.memory_util'],
  memoryUsed: ['fb_memory_usage.used'],
  memoryTotal: ['fb_memory_usage.total'],
  memoryReserved: ['fb_memory_usage.reserved'],
  power: [
    'gpu_power_readings.power_draw',
    'gpu_power_readings.average_power_draw',
    'gpu_power_readings.instant_power_draw',
    'power_readings.power_draw',
  ],
  powerLimit: [
    'gpu_power_readings.current_power_limit',
    'power_readings.enforced_power_limit',
    'power_readings.power_limit',
  ],
  temperature: ['temperature.gpu_temp'],
  clockSm: ['clocks.sm_clock'],
  clockMem: ['clocks.mem_clock'],
  pcieRx: ['pci.rx_util'],
  pcieTx: ['pci.tx_util'],
  fan: ['fan_speed'],
};

/** Sums of counters: every one must be known. Newer drivers split what older ones gave as one total. */
const ECC_PLACES: readonly (readonly string[])[] = [
  ['ecc_errors.volatile.double_bit.total'],
  [
    'ecc_errors.volatile.sram_uncorrectable_parity',
    'ecc_errors.volatile.sram_uncorrectable_secded',
    'ecc_errors.volatile.dram_uncorrectable',
  ],
  ['ecc_errors.volatile.sram_uncorrectable', 'ecc_errors.volatile.dram_uncorrectable'],
];

const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  '%': 1,
  C: 1,
  W: 1,
  MHz: 1,
  MiB: 2 ** 20,
  MB: 2 ** 20,
  'KB/s': 1000,
};

/**
 * All GPUs of a parsed log, in its order; the place in it stands for the index, which the log does not hold.
 * A GPU without a UUID cannot be told from another and is left out. Throws when it is no nvidia-smi log at all.
 */
export const parseSmiLog = (log: unknown): readonly XmlGpu[] => {
  const root = at(log, 'nvidia_smi_log');
  if (typeof root !== 'object' || root === null) throw new Error('nvidia-smi -q -x: no <nvidia_smi_log> in its output');
  const driver = textAt(root, 'driver_version');
  return listAt(root, 'gpu').flatMap((element, index) => {
    const uuid = textAt(element, 'uuid');
    if (uuid === null || !uuid.startsWith('GPU-')) return [];
    const values = valuesOf(element);
    const { memoryTotal = null, powerLimit = null } = values;
    const gpu = { uuid, index, name: textAt(element, 'product_name'), driver, memoryTotal, powerLimit };
    return [{ gpu, values, processes: processesOf(element) }];
  });
};

const valuesOf = (gpu: Element): Values => {
  const measured = Object.entries(PLACES).map(([metric, places]) => [metric, firstNumber(gpu, places)] as const);
  return { ...Object.fromEntries(measured), throttle: throttleOf(gpu), eccErrors: eccOf(gpu) };
};

const throttleOf = (gpu: Element): number | null => {
  for (const word of ['clocks_event_reason', 'clocks_throttle_reason']) {
    const reasons = at(gpu, `${word}s`);
    let mask = 0;
    let told = false;
    for (const [name, bit] of Object.entries(THROTTLE_BITS)) {
      const said = textAt(reasons, `${word}_${name === 'display_clock_setting' ? 'display_clocks_setting' : name}`);
      if (said === 'Active') mask |= bit;
      if (said === 'Active' || said === 'Not Active') told = true;
    }
    if (told) return mask;
  }
  return null;
};

const eccOf = (gpu: Element): number | null => {
  for (const places of ECC_PLACES) {
    const counts = places.map((place) => firstNumber(gpu, [place]));
    if (counts.every((count) => count !== null)) return counts.reduce((sum: number, count) => sum + (count ?? 0), 0);
  }
  return null;
};

const processesOf = (gpu: Element): XmlGpu['processes'] =>
  listAt(at(gpu, 'processes'), 'process_info').flatMap((element) => {
    const pid = Number(textAt(element, 'pid') ?? Number.NaN);
    const type = textAt(element, 'type') ?? 'C';
    if (!Number.isInteger(pid) || !type.includes('C')) return [];
    return [{ pid, memory: firstNumber(element, ['used_memory']), name: textAt(element, 'process_name') }];
  });

const firstNumber = (element: Element, places: readonly string[]): number | null => {
  for (const place of places) {
    const match = /^(-?\d+(?:\.\d+)?)(?:\s+(\S+))?$/.exec(textAt(element, place) ?? '');
    const unit = match === null ? undefined : UNITS[match[2] ?? ''];
    if (match !== null && unit !== undefined) return Number(match[1]) * unit;
  }
  return null;
};

const NOT_KNOWN =
  /^(N\/A|None|Unknown Error|Not Supported|Not Found|GPU is lost|GPU requires reset|Insufficient Permissions|Function Not Found)$/i;

/** The text at a dotted path; null where there is none or where it is a word for "not known". */
const textAt = (element: Element, path: string): string | null => {
  const found = path.split('.').reduce(at, element);
  return typeof found === 'string' && found !== '' && !NOT_KNOWN.test(found) ? found : null;
};

/** One element and several of a kind look different after xml2js: one is an object, more are an array. */
const listAt = (element: Element, name: string): readonly Element[] => {
  const found = at(element, name);
  if (Array.isArray(found)) return found;
  return typeof found === 'object' && found !== null ? [found] : [];
};

const at = (element: Element, name: string): Element =>
  typeof element === 'object' && element !== null
    ? Object.entries(element).find(([key]) => key === name)?.[1]
    : undefined;
