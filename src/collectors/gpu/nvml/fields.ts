import { codeOf, type Device, fail, isAsked, know, miss, type PcieCount } from './device.ts';
import type { Nvml } from './library.ts';
import type { TickMetric } from './protocol.ts';
import { CODE } from './return-codes.ts';
import { FIELD, readTyped, readU64 } from './structs.ts';

/** nvmlFieldValue_t ids, with what one of their unit is in ours. */
const PCIE_FIELDS = [
  { id: 197, metric: 'pcieTx', scale: 1 },
  { id: 198, metric: 'pcieRx', scale: 1 },
] as const;
const FIELDS = [
  { id: 83, metric: 'energy', scale: 1 / 1000 },
  { id: 82, metric: 'memoryTemperature', scale: 1 },
  { id: 94, metric: 'pcieReplays', scale: 1 },
  ...PCIE_FIELDS,
] as const;
const METRICS = FIELDS.map(({ metric }) => metric);

const WRAP = 2 ** 32;
/** Bytes a second of one lane of PCIe 1.0; every generation doubled it at most. */
const LANE_BYTES_PER_S = 250e6;
const FASTEST_LINK = { generation: 5, lanes: 16 };
/** How long before a tick the PCIe counters are read a first time, where ticks are too far apart to do without. */
export const PCIE_WINDOW_MS = 50;
/** A tick may come late by this much and its rates are known all the same. */
const LATE_TIMES = 1.2;

/**
 * µs in which a link cannot move as many bytes as a counter of 32 bits can count: 67 ms with 16 lanes of PCIe 5.0, 134 ms
 * of 4.0. null: not known, the fastest that there is on boards with this counter.
 */
export const unambiguousUsOf = (generation: number | null, lanes: number | null): number => {
  const doublings = (generation ?? FASTEST_LINK.generation) - 1;
  return (WRAP / (LANE_BYTES_PER_S * 2 ** doublings * (lanes ?? FASTEST_LINK.lanes))) * 1e6;
};

/**
 * Reads what the driver answers in one batch: energy in J, the temperature of the memory, PCIe replays, and the PCIe
 * counters. These may be 32 bits wide. Where the link is so fast, or ticks so far apart, that they could wrap unnoticed
 * from one to the next, they are read twice, a short while apart: `mark` makes the first reading, `read` the second, with
 * the rest, and what is known is that window.
 *
 * `nvmlDeviceGetPcieThroughput` is never asked: each call blocks for 20 ms, 320 ms for eight GPUs.
 */
export const createFieldsReader = (nvml: Nvml) => {
  const batch = batchOf(FIELDS);
  const pcieBatch = batchOf(PCIE_FIELDS);
  const ask = (handle: bigint, { buffer, ids }: FieldBatch): number => {
    for (const [place, id] of ids.entries()) {
      buffer.writeUInt32LE(id, place * FIELD.size + FIELD.id);
      buffer.writeUInt32LE(0, place * FIELD.size + FIELD.scope);
    }
    return codeOf(nvml.nvmlDeviceGetFieldValues?.(handle, ids.length, buffer));
  };

  return {
    read: (device: Device): void => {
      const { handle } = device;
      if (handle === null) return;
      const code = ask(handle, batch);
      if (code !== CODE.success) {
        fail(device, METRICS, code);
        return;
      }
      for (const [place, { metric, scale }] of FIELDS.entries()) {
        const value = valueAt(device, batch.buffer, place, metric);
        if (value === null) continue;
        if (metric === 'pcieRx' || metric === 'pcieTx') knowRate(device, metric, value, takenAt(batch.buffer, place));
        else know(device, metric, value * scale);
      }
    },
    /** Whether rates are known only with a `mark`, when the next `read` comes after so long. */
    needsMark: (device: Device, periodMs: number): boolean => {
      const { rx, unambiguousUs } = device.pcie;
      return isAsked(device, 'pcieRx') && (rx.at === 0 || periodMs * 1000 * LATE_TIMES > unambiguousUs);
    },
    mark: (device: Device): void => {
      const { handle } = device;
      if (handle === null || ask(handle, pcieBatch) !== CODE.success) return;
      for (const [place, { metric }] of PCIE_FIELDS.entries()) {
        const value = valueAt(device, pcieBatch.buffer, place, metric);
        const count = countOf(device, metric);
        if (value === null) continue;
        count.bytes = value;
        count.at = takenAt(pcieBatch.buffer, place);
      }
    },
  };
};

type FieldBatch = { readonly buffer: Buffer; readonly ids: readonly number[] };

const batchOf = (fields: readonly { readonly id: number }[]): FieldBatch => ({
  buffer: Buffer.alloc(fields.length * FIELD.size),
  ids: fields.map(({ id }) => id),
});

const takenAt = (buffer: Buffer, place: number): number => readU64(buffer, place * FIELD.size + FIELD.timestamp);

/** null, with the reason noted, where the field has no number. */
const valueAt = (device: Device, buffer: Buffer, place: number, metric: TickMetric): number | null => {
  const from = place * FIELD.size;
  const code = buffer.readUInt32LE(from + FIELD.code);
  if (code !== CODE.success) {
    fail(device, [metric], code);
    return null;
  }
  const value = readTyped(buffer, from + FIELD.value, buffer.readUInt32LE(from + FIELD.type));
  if (value === null) miss(device, metric, 'the driver gives it in a form that is not known');
  return value;
};

const countOf = ({ pcie }: Device, metric: 'pcieRx' | 'pcieTx'): PcieCount => (metric === 'pcieRx' ? pcie.rx : pcie.tx);

/** Bytes a second since the reading before, which is replaced. `at` is the driver's time, µs. */
const knowRate = (device: Device, metric: 'pcieRx' | 'pcieTx', bytes: number, at: number): void => {
  const before = countOf(device, metric);
  const elapsedUs = at - before.at;
  const moved = bytes >= before.bytes ? bytes - before.bytes : bytes - before.bytes + WRAP;
  before.bytes = bytes;
  before.at = at;
  if (elapsedUs > 0 && elapsedUs <= device.pcie.unambiguousUs) know(device, metric, (moved / elapsedUs) * 1e6);
  else miss(device, metric, "the driver's counter was read too long ago: it may have wrapped since");
};
