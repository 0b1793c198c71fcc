import { codeOf, type Device, fail, isAsked, know, miss } from './device.ts';
import type { Nvml } from './library.ts';
import { CODE } from './return-codes.ts';
import { MEMORY_V1, MEMORY_V2, readU64 } from './structs.ts';

const METRICS = ['memoryUsed', 'memoryTotal', 'memoryReserved'] as const;

/**
 * Reads memory as nvidia-smi shows it: used without what the driver reserves. Drivers before 510 have the older call
 * only, which knows no reserved memory and, since it did not exist, does not count it as used.
 */
export const createMemoryReader = (nvml: Nvml): ((device: Device) => void) => {
  const memory = Buffer.alloc(MEMORY_V2.size);
  return (device) => {
    const { handle } = device;
    if (handle === null || !isAsked(device, 'memoryUsed')) return;
    if (nvml.nvmlDeviceGetMemoryInfo_v2 !== undefined) {
      memory.writeUInt32LE(MEMORY_V2.version, 0);
      const code = nvml.nvmlDeviceGetMemoryInfo_v2(handle, memory);
      if (code !== CODE.success) return fail(device, METRICS, code);
      know(device, 'memoryTotal', readU64(memory, MEMORY_V2.total));
      know(device, 'memoryReserved', readU64(memory, MEMORY_V2.reserved));
      return know(device, 'memoryUsed', readU64(memory, MEMORY_V2.used));
    }
    const code = codeOf(nvml.nvmlDeviceGetMemoryInfo?.(handle, memory));
    if (code !== CODE.success) return fail(device, METRICS, code);
    know(device, 'memoryTotal', readU64(memory, MEMORY_V1.total));
    know(device, 'memoryUsed', readU64(memory, MEMORY_V1.used));
    miss(device, 'memoryReserved', 'this driver does not tell it: it came with 510');
  };
};
