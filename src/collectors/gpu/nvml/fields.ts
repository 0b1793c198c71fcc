import { codeOf, type Device, fail, know, miss, type PcieCount } from './device.ts';
import type { Nvml } from './library.ts';
import type { TickMetric } from './protocol.ts';
import { CODE } from './return-codes.ts';
import { FIELD, readTyped, readU64 } from './structs.ts';

/** nvmlFieldValue_t ids, with what one of their unit is in ours. */
const FIELDS = [
  { id: 83, metric: 'energy', scale: 1 / 1000 },
  { id: 82, metric: 'memoryTemperature', scale: 1 },
  { id: 94, metric: 'pcieReplays', scale: 1 },
  { id: 197, metric: 'pcieTx', scale: 1 },
  { id: 198, metric: 'pcieRx', scale: 1 },
] as const;
const METRICS = FIELDS.map(({ metric }) => metric);
const PCIE_FIELDS = FIELDS.filter(({ metric }) => metric === 'pcieTx' || metric === 'pcieRx');

const WRAP = 2 ** 32;
/** Even PCIe 5.0 with 16 lanes, 63 GB/s, cannot move a whole wrap in this time. */
const UNAMBIGUOUS_US = 65_000;
/** How long before a tick the PCIe counters are read a first time. */
export const PCIE_WINDOW_MS = 50;

/**
 * Reads what the driver answers in one batch: energy in J, the temperature of the memory, PCIe replays, and the PCIe
 * counters. These may be 32 bits wide, and what went between two ticks is then not known: they are read twice, a short
 * while apart. `mark` makes the first reading, `read` the second, with the rest, and what is known is that window.
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
        if (metric === 'pcieRx') knowRate(device, metric, device.pcie.rx, value, takenAt(batch.buffer, place));
        else if (metric === 'pcieTx') knowRate(device, metric, device.pcie.tx, value, takenAt(batch.buffer, place));
        else know(device, metric, value * scale);
      }
    },
    mark: (device: Device): void => {
      const { handle } = device;
      if (handle === null || ask(handle, pcieBatch) !== CODE.success) return;
      for (const [place, { metric }] of PCIE_FIELDS.entries()) {
        const value = valueAt(device, pcieBatch.buffer, place, metric);
        const count = metric === 'pcieRx' ? device.pcie.rx : device.pcie.tx;
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

/** Bytes a second since the reading before, which is replaced. `at` is the driver's time, µs. */
const knowRate = (device: Device, metric: 'pcieRx' | 'pcieTx', before: PcieCount, bytes: number, at: number): void => {
  const elapsedUs = at - before.at;
  const moved = bytes >= before.bytes ? bytes - before.bytes : bytes - before.bytes + WRAP;
  before.bytes = bytes;
  before.at = at;
  if (elapsedUs > 0 && elapsedUs <= UNAMBIGUOUS_US) know(device, metric, (moved / elapsedUs) * 1e6);
  else miss(device, metric, "the driver's counter was read too long ago: it may have wrapped since");
};
