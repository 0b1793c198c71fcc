import { codeOf, type Device, fail, isAsked, know } from './device.ts';
import type { Nvml } from './library.ts';
import { CODE } from './return-codes.ts';
import { readTyped, readU64, SAMPLE, UTILIZATION } from './structs.ts';

const RATES = ['utilization', 'memoryUtilization'] as const;
const RING = ['utilizationMin', 'utilizationMean'] as const;
/** nvmlSamplingType_t: GPU utilization. */
const GPU_UTILIZATION = 1;
const ROOM_AT_FIRST = 128;

/**
 * Reads utilization twice: the driver's last sample period (1/6 to 1 s, what nvidia-smi shows), and from the ring in
 * which the driver keeps its last hundred samples the lowest and the mean since the look before, so that a dip that is
 * shorter than a tick is seen.
 *
 * The ring's entries come in any order, with timestamps of an unknown origin: they are only compared with each other.
 * Where it has nothing newer, because the GPU is idle or the tick shorter than the driver's period, the last period is
 * all that there was: then both are the utilization itself. So it is at the first look, to which no other look belongs.
 */
export const createUtilizationReader = (nvml: Nvml): ((device: Device) => void) => {
  const rates = Buffer.alloc(UTILIZATION.size);
  const type = Buffer.alloc(4);
  const count = Buffer.alloc(4);
  let samples = Buffer.alloc(ROOM_AT_FIRST * SAMPLE.size);

  /** The driver says how many entries its ring can have where the room was too small. */
  const readRing = (handle: bigint, lastSeen: number): number => {
    const read = nvml.nvmlDeviceGetSamples;
    if (read === undefined) return CODE.functionNotFound;
    count.writeUInt32LE(samples.length / SAMPLE.size, 0);
    const code = read(handle, GPU_UTILIZATION, lastSeen, type, count, samples);
    if (code !== CODE.insufficientSize) return code;
    const asked = read(handle, GPU_UTILIZATION, 0, type, count, null);
    if (asked !== CODE.success) return asked;
    samples = Buffer.alloc((count.readUInt32LE(0) + ROOM_AT_FIRST) * SAMPLE.size);
    count.writeUInt32LE(samples.length / SAMPLE.size, 0);
    return read(handle, GPU_UTILIZATION, lastSeen, type, count, samples);
  };

  /** Takes what is newer than the look before; false when there is nothing. */
  const takeRing = (device: Device): boolean => {
    const seen = device.ringSeenAt;
    const valueType = type.readUInt32LE(0);
    const end = Math.min(count.readUInt32LE(0) * SAMPLE.size, samples.length);
    let [lowest, sum, taken] = [Number.POSITIVE_INFINITY, 0, 0];
    for (let at = 0; at < end; at += SAMPLE.size) {
      const takenAt = readU64(samples, at + SAMPLE.timestamp);
      const value = readTyped(samples, at + SAMPLE.value, valueType);
      if (takenAt <= seen || value === null || value < 0 || value > 100) continue;
      if (takenAt > device.ringSeenAt) device.ringSeenAt = takenAt;
      lowest = Math.min(lowest, value);
      sum += value;
      taken += 1;
    }
    if (taken === 0 || seen === 0) return false;
    know(device, 'utilizationMin', lowest);
    know(device, 'utilizationMean', sum / taken);
    return true;
  };

  return (device) => {
    const { handle } = device;
    if (handle === null || !isAsked(device, 'utilization')) return;
    const code = codeOf(nvml.nvmlDeviceGetUtilizationRates?.(handle, rates));
    if (code !== CODE.success) return fail(device, [...RATES, ...RING], code);
    const utilization = rates.readUInt32LE(UTILIZATION.gpu);
    know(device, 'utilization', utilization);
    know(device, 'memoryUtilization', rates.readUInt32LE(UTILIZATION.memory));

    if (!isAsked(device, 'utilizationMin')) return;
    const ring = readRing(handle, device.ringSeenAt);
    if (ring !== CODE.success && ring !== CODE.notFound) return fail(device, RING, ring);
    if (ring === CODE.success && takeRing(device)) return;
    know(device, 'utilizationMin', utilization);
    know(device, 'utilizationMean', utilization);
  };
};
