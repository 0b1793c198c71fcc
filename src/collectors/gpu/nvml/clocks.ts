import { codeOf, type Device, fail, isAsked, know } from './device.ts';
import type { Nvml } from './library.ts';
import { CODE } from './return-codes.ts';
import { readU64 } from './structs.ts';

/** nvmlClockType_t. */
const SM = 1;
const MEMORY = 2;

/** Reads the clocks in MHz, and the mask of what holds them back now. */
export const createClocksReader = (nvml: Nvml): ((device: Device) => void) => {
  const number = Buffer.alloc(8);
  // The old name for the same call before 535.
  const readReasons = nvml.nvmlDeviceGetCurrentClocksEventReasons ?? nvml.nvmlDeviceGetCurrentClocksThrottleReasons;

  const readClock = (device: Device, handle: bigint, metric: 'clockSm' | 'clockMem', clock: number): void => {
    if (!isAsked(device, metric)) return;
    const code = codeOf(nvml.nvmlDeviceGetClockInfo?.(handle, clock, number));
    if (code === CODE.success) know(device, metric, number.readUInt32LE(0));
    else fail(device, [metric], code);
  };

  return (device) => {
    const { handle } = device;
    if (handle === null) return;
    readClock(device, handle, 'clockSm', SM);
    readClock(device, handle, 'clockMem', MEMORY);
    if (!isAsked(device, 'throttle')) return;
    const code = codeOf(readReasons?.(handle, number));
    if (code === CODE.success) know(device, 'throttle', readU64(number, 0));
    else fail(device, ['throttle'], code);
  };
};
