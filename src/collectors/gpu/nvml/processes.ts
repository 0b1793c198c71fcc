import { codeOf, type Device } from './device.ts';
import type { Nvml } from './library.ts';
import type { ProcessRow } from './protocol.ts';
import { CODE } from './return-codes.ts';
import { NO_MEMORY, PROCESS_SAMPLE, PROCESS_V1, PROCESS_V2, readU64 } from './structs.ts';

const ROOM_AT_FIRST = 64;
/** Processes come while we ask again with more room. */
const SLACK = 16;
const TRIES = 3;
const UNTOUCHED = 0xaa;

/**
 * Reads who holds a GPU or an instance: the processes, or the code of the call that failed.
 *
 * Drivers 535.43 to 535.86 wrote entries of 32 bytes under a name that stands for 24 ever since. So every entry has room
 * for 32, all bytes are set to a mark before, and how far the driver wrote tells how long its entries are.
 */
export const createProcessesReader = (nvml: Nvml): ((device: Device) => readonly ProcessRow[] | number) => {
  const isOld =
    nvml.nvmlDeviceGetComputeRunningProcesses_v3 === undefined &&
    nvml.nvmlDeviceGetComputeRunningProcesses_v2 === undefined;
  const list =
    nvml.nvmlDeviceGetComputeRunningProcesses_v3 ??
    nvml.nvmlDeviceGetComputeRunningProcesses_v2 ??
    nvml.nvmlDeviceGetComputeRunningProcesses;
  const count = Buffer.alloc(4);
  let entries = Buffer.alloc(ROOM_AT_FIRST * PROCESS_V2.longSize);
  const readShares = createSharesReader(nvml);

  const ask = (handle: bigint): number => {
    for (let tries = 0; tries < TRIES; tries++) {
      entries.fill(UNTOUCHED);
      count.writeUInt32LE(entries.length / PROCESS_V2.longSize, 0);
      const code = codeOf(list?.(handle, count, entries));
      if (code !== CODE.insufficientSize) return code;
      entries = Buffer.alloc((count.readUInt32LE(0) + SLACK) * PROCESS_V2.longSize);
    }
    return CODE.insufficientSize;
  };

  return (device) => {
    if (device.handle === null) return [];
    const code = ask(device.handle);
    if (code !== CODE.success) return code;
    const found = Math.min(count.readUInt32LE(0), entries.length / PROCESS_V2.longSize);
    if (found === 0) return [];
    const stride = isOld ? PROCESS_V1.size : strideOf(entries, found);
    const shares = readShares(device);
    return Array.from({ length: found }, (_, place): ProcessRow => {
      const pid = entries.readUInt32LE(place * stride + PROCESS_V2.pid);
      const memory = entries.readBigUInt64LE(place * stride + PROCESS_V2.memory);
      return [device.facts.uuid, pid, memory === NO_MEMORY ? null : Number(memory), shares.get(pid) ?? null];
    });
  };
};

const strideOf = (entries: Buffer, found: number): number => {
  const beyond = entries.subarray(found * PROCESS_V2.size, found * PROCESS_V2.longSize);
  return beyond.every((byte) => byte === UNTOUCHED) ? PROCESS_V2.size : PROCESS_V2.longSize;
};

/**
 * Reads the share of the GPU's time, in %, that processes had since the look before, by pid. Only those that ran have an
 * entry; one without is not known to have done nothing. The driver leaves garbage among them, so what is over 100 or not
 * newer than the look before does not count (nor, above, who is not in the list). Never known under MIG.
 *
 * Asked from the beginning, as at the first look, it gives a long mean instead: then only the time of its newest entry
 * is taken, since nobody promises which clock that is.
 */
const createSharesReader = (nvml: Nvml): ((device: Device) => ReadonlyMap<number, number>) => {
  const count = Buffer.alloc(4);
  let samples = Buffer.alloc(ROOM_AT_FIRST * PROCESS_SAMPLE.size);

  const ask = (handle: bigint, lastSeen: number): number => {
    for (let tries = 0; tries < TRIES; tries++) {
      count.writeUInt32LE(samples.length / PROCESS_SAMPLE.size, 0);
      const code = codeOf(nvml.nvmlDeviceGetProcessUtilization?.(handle, samples, count, lastSeen));
      if (code !== CODE.insufficientSize) return code;
      samples = Buffer.alloc((count.readUInt32LE(0) + SLACK) * PROCESS_SAMPLE.size);
    }
    return CODE.insufficientSize;
  };

  return (device) => {
    const newest = new Map<number, { readonly at: number; readonly share: number }>();
    const seen = device.processesSeenAt;
    if (device.handle === null || device.isPartitioned || device.facts.mig) return new Map();
    if (ask(device.handle, seen ?? 0) !== CODE.success) return new Map();
    const end = Math.min(count.readUInt32LE(0) * PROCESS_SAMPLE.size, samples.length);
    for (let at = 0; at < end; at += PROCESS_SAMPLE.size) {
      const pid = samples.readUInt32LE(at + PROCESS_SAMPLE.pid);
      const takenAt = readU64(samples, at + PROCESS_SAMPLE.timestamp);
      const share = samples.readUInt32LE(at + PROCESS_SAMPLE.sm);
      if (share > 100 || takenAt <= (seen ?? 0)) continue;
      device.processesSeenAt = Math.max(device.processesSeenAt ?? 0, takenAt);
      if (takenAt >= (newest.get(pid)?.at ?? 0)) newest.set(pid, { at: takenAt, share });
    }
    return seen === null ? new Map() : new Map([...newest].map(([pid, { share }]) => [pid, share]));
  };
};
