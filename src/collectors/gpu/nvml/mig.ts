import { PLACES_OF_MIG } from '../xml-places.ts';
import { codeOf, createDevice, type Device, drop, valueIn } from './device.ts';
import type { Nvml } from './library.ts';
import { createMemoryReader } from './memory.ts';
import { TICK_METRICS } from './protocol.ts';
import { CODE } from './return-codes.ts';
import { HANDLE_SIZE, readText, TEXT_SIZE } from './structs.ts';

const OF_THE_WHOLE_GPU = 'known of the whole GPU only, not of a MIG instance';
const OWN: ReadonlySet<string> = new Set(PLACES_OF_MIG);
const NOT_OWN = TICK_METRICS.filter((metric) => !OWN.has(metric));

/**
 * Finds the MIG instances of a GPU: GPUs of their own, with memory and processes and nothing else (NVML measures no
 * activity of instances before Hopper, and there by other calls). The places of instances may have gaps.
 */
export const createMigReader = (nvml: Nvml): ((parent: Device) => readonly Device[]) => {
  const text = Buffer.alloc(TEXT_SIZE);
  const number = Buffer.alloc(4);
  const handleBytes = Buffer.alloc(HANDLE_SIZE);
  const readMemory = createMemoryReader(nvml);
  const numberOf = (code: number | undefined): number | null => (code === CODE.success ? number.readUInt32LE(0) : null);

  const instanceAt = (parent: Device, parentHandle: bigint, index: number): readonly Device[] => {
    const code = codeOf(nvml.nvmlDeviceGetMigDeviceHandleByIndex?.(parentHandle, index, handleBytes));
    if (code !== CODE.success) return [];
    const handle = handleBytes.readBigUInt64LE(0);
    if (nvml.nvmlDeviceGetUUID?.(handle, text, text.length) !== CODE.success) return [];
    const uuid = readText(text);
    const name = nvml.nvmlDeviceGetName?.(handle, text, text.length) === CODE.success ? readText(text) : null;
    const mig = {
      parent: parent.facts.uuid,
      index,
      gpuInstance: numberOf(nvml.nvmlDeviceGetGpuInstanceId?.(handle, number)),
      computeInstance: numberOf(nvml.nvmlDeviceGetComputeInstanceId?.(handle, number)),
      profile: / MIG (\S+)$/.exec(name ?? '')?.[1] ?? null,
    };
    const device = createDevice({ ...parent.facts, uuid, name, powerLimit: null, mig }, handle);
    drop(device, NOT_OWN, OF_THE_WHOLE_GPU);
    readMemory(device);
    device.facts = { ...device.facts, memoryTotal: valueIn(device, 'memoryTotal') };
    return [device];
  };

  return (parent) => {
    const { handle } = parent;
    if (handle === null || !parent.isPartitioned) return [];
    const most = numberOf(nvml.nvmlDeviceGetMaxMigDeviceCount?.(handle, number)) ?? 0;
    return Array.from({ length: most }, (_, index) => instanceAt(parent, handle, index)).flat();
  };
};
