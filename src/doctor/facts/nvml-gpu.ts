import type { Nvml } from '../../collectors/gpu/nvml/library.ts';
import { CODE, wordsOf } from '../../collectors/gpu/nvml/return-codes.ts';
import { FIELD, HANDLE_SIZE, readTyped, readU64, SAMPLE } from '../../collectors/gpu/nvml/structs.ts';
import type { Tell } from './tell.ts';

/** What is asked once of a GPU, beside what the sampler asks. Words stand where a call failed. */
export type GpuExtras = {
  /** The driver stays initialised while nobody uses the GPU. */
  readonly persistence: boolean | string;
  readonly ring: Ring | string;
  readonly fields: readonly FieldSupport[];
  /** ms that a measurement of PCIe by the driver blocks; the sampler never asks it. */
  readonly pcieWindowMs: number | string;
};

/** The driver's ring of utilization samples. */
export type Ring = { readonly entries: number; readonly periodMs: number | null; readonly spanMs: number };

/** `latencyUs` is what NVML itself says it cost; `reason` null: the field has a value. */
export type FieldSupport = {
  readonly id: number;
  readonly name: string;
  readonly reason: string | null;
  readonly latencyUs: number;
  /** nvmlValueType_t: it tells how wide a counter is. */
  readonly type: number;
};

/** Those that the sampler reads, and those that tell more of power and throttling. */
const FIELDS: readonly (readonly [id: number, name: string])[] = [
  [82, 'memory temperature'],
  [83, 'energy'],
  [94, 'PCIe replays'],
  [197, 'PCIe bytes sent'],
  [198, 'PCIe bytes received'],
  [185, 'average power'],
  [186, 'power of this instant'],
  [74, 'time under the power cap'],
  [269, 'time under software thermal slowdown'],
];
const GPU_UTILIZATION = 1;
const MOST_ENTRIES = 4096;
/** nvmlFieldValue_t: int64 latencyUsec, behind the timestamp. */
const LATENCY_AT = 16;

export const readExtras = (nvml: Nvml, index: number, tell: Tell): GpuExtras => {
  const number = Buffer.alloc(8);
  const handleBytes = Buffer.alloc(HANDLE_SIZE);
  const opened = nvml.nvmlDeviceGetHandleByIndex_v2?.(index, handleBytes) ?? CODE.functionNotFound;
  if (opened !== CODE.success) {
    const words = wordsOf(opened);
    return { persistence: words, ring: words, fields: [], pcieWindowMs: words };
  }
  const handle = handleBytes.readBigUInt64LE(0);
  const persistence = nvml.nvmlDeviceGetPersistenceMode?.(handle, number) ?? CODE.functionNotFound;
  const isPersistent = number.readUInt32LE(0) === 1;
  const ring = readRing(nvml, handle);
  const fields = readFields(nvml, handle);
  tell(`calling nvmlDeviceGetPcieThroughput of GPU ${index}`);
  const startedAt = performance.now();
  const pcie = nvml.nvmlDeviceGetPcieThroughput?.(handle, 0, number) ?? CODE.functionNotFound;
  const pcieMs = performance.now() - startedAt;
  return {
    persistence: persistence === CODE.success ? isPersistent : wordsOf(persistence),
    ring,
    fields,
    pcieWindowMs: pcie === CODE.success ? pcieMs : wordsOf(pcie),
  };
};

const readRing = (nvml: Nvml, handle: bigint): Ring | string => {
  const samples = Buffer.alloc(MOST_ENTRIES * SAMPLE.size);
  const type = Buffer.alloc(4);
  const count = Buffer.alloc(4);
  count.writeUInt32LE(MOST_ENTRIES);
  const code = nvml.nvmlDeviceGetSamples?.(handle, GPU_UTILIZATION, 0, type, count, samples) ?? CODE.functionNotFound;
  if (code !== CODE.success) return wordsOf(code);
  const entries = Math.min(count.readUInt32LE(0), MOST_ENTRIES);
  return ringOf(
    Array.from({ length: entries }, (_, place) => readU64(samples, place * SAMPLE.size + SAMPLE.timestamp)),
  );
};

/** From the times of its entries, µs, in any order; 0 is an entry that was never written. */
export const ringOf = (times: readonly number[]): Ring => {
  const sorted = times.filter((at) => at > 0).toSorted((a, b) => a - b);
  const gaps = sorted.slice(1).map((at, place) => at - (sorted[place] ?? at));
  const middle = gaps.toSorted((a, b) => a - b)[Math.floor(gaps.length / 2)];
  return {
    entries: sorted.length,
    periodMs: middle === undefined ? null : middle / 1000,
    spanMs: ((sorted.at(-1) ?? 0) - (sorted[0] ?? 0)) / 1000,
  };
};

const readFields = (nvml: Nvml, handle: bigint): readonly FieldSupport[] => {
  const buffer = Buffer.alloc(FIELDS.length * FIELD.size);
  for (const [place, [id]] of FIELDS.entries()) buffer.writeUInt32LE(id, place * FIELD.size + FIELD.id);
  const code = nvml.nvmlDeviceGetFieldValues?.(handle, FIELDS.length, buffer) ?? CODE.functionNotFound;
  return FIELDS.map(([id, name], place) => {
    const from = place * FIELD.size;
    const refusal = code === CODE.success ? buffer.readUInt32LE(from + FIELD.code) : code;
    const type = buffer.readUInt32LE(from + FIELD.type);
    const value = readTyped(buffer, from + FIELD.value, type);
    const reason = refusal !== CODE.success ? wordsOf(refusal) : value === null ? 'of a type that is not known' : null;
    return { id, name, reason, latencyUs: readU64(buffer, from + LATENCY_AT), type };
  });
};
