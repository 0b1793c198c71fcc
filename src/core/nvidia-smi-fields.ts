import type { GpuMetric } from './metrics.ts';

/**
 * Where each metric stands, in order of preference: names change with the driver, and a field that is known may still
 * hold a text on a certain board, so every known one is asked and the first number counts.
 * `power.draw` comes first because it is what NVML's own call returns.
 */
export const FIELDS_OF_METRIC: Readonly<Partial<Record<GpuMetric, readonly string[]>>> = {
  utilization: ['utilization.gpu'],
  memoryUtilization: ['utilization.memory'],
  memoryUsed: ['memory.used'],
  memoryTotal: ['memory.total'],
  memoryReserved: ['memory.reserved'],
  power: ['power.draw', 'power.draw.instant', 'power.draw.average'],
  powerLimit: ['enforced.power.limit', 'power.limit'],
  temperature: ['temperature.gpu'],
  memoryTemperature: ['temperature.memory'],
  clockSm: ['clocks.current.sm', 'clocks.sm'],
  clockMem: ['clocks.current.memory', 'clocks.mem'],
  throttle: ['clocks_event_reasons.active', 'clocks_throttle_reasons.active'],
  fan: ['fan.speed'],
  eccErrors: ['ecc.errors.uncorrected.volatile.total'],
  eccCorrected: ['ecc.errors.corrected.volatile.total'],
  rowRemapPending: ['remapped_rows.pending'],
  rowRemapFailed: ['remapped_rows.failure'],
};

const MIB = 2 ** 20;
const IN_MIB = new Set(['memory.used', 'memory.total', 'memory.reserved']);
const YES_OR_NO = new Set(['remapped_rows.pending', 'remapped_rows.failure']);

/** Reads the cells of a field, without their unit, in the unit of the catalogue: MiB become bytes, Yes and No 1 and 0. */
export const fieldReader = (field: string): ((cell: string | undefined) => number | null) => {
  if (YES_OR_NO.has(field)) return (cell) => (cell === 'Yes' ? 1 : cell === 'No' ? 0 : numberIn(cell));
  if (!IN_MIB.has(field)) return numberIn;
  return (cell) => {
    const mebibytes = numberIn(cell);
    return mebibytes === null ? null : mebibytes * MIB;
  };
};

/** Decimal or hexadecimal (the throttle mask), and nothing else: `[N/A]` is not 0, and neither is an empty cell. */
export const numberIn = (cell: string | undefined): number | null =>
  cell !== undefined && /^(-?\d+(\.\d+)?|0x[0-9a-f]+)$/i.test(cell) ? Number(cell) : null;
