import type { ObservedGpu } from '../../../core/batch.ts';
import { parsePciBusId } from '../pci-bus-id.ts';
import {
  askForAll,
  codeOf,
  createDevice,
  type Device,
  DriverGone,
  drop,
  fail,
  know,
  suffer,
  valueIn,
} from './device.ts';
import { unambiguousUsOf } from './fields.ts';
import type { Nvml } from './library.ts';
import { createMemoryReader } from './memory.ts';
import { CODE, wordsOf } from './return-codes.ts';
import { HANDLE_SIZE, PCI_INFO_V3, readText, TEXT_SIZE } from './structs.ts';

const NOT_LISTED = 'the driver does not list this GPU any more';
const NOT_UNDER_MIG = ['utilization', 'utilizationMin', 'utilizationMean', 'memoryUtilization'] as const;

/** What was found: the GPUs, and in words those that could neither be opened nor named. */
export type Found = { readonly devices: readonly Device[]; readonly unnamed: readonly string[] };

/** Reads which GPUs there are and what does not change, or seldom. */
export const createInventory = (nvml: Nvml) => {
  const text = Buffer.alloc(TEXT_SIZE);
  const number = Buffer.alloc(8);
  const handleBytes = Buffer.alloc(HANDLE_SIZE);
  const pci = Buffer.alloc(PCI_INFO_V3.size);
  const pending = Buffer.alloc(4);
  const readMemory = createMemoryReader(nvml);

  const numberOf = (code: number | undefined): number | null => (code === CODE.success ? number.readUInt32LE(0) : null);
  const textOf = (code: number | undefined): string | null => (code === CODE.success ? readText(text) : null);
  const driver = (): string | null => textOf(nvml.nvmlSystemGetDriverVersion?.(text, text.length));

  const busIdOf = (handle: bigint): string | null =>
    nvml.nvmlDeviceGetPciInfo_v3?.(handle, pci) === CODE.success
      ? parsePciBusId(readText(pci, PCI_INFO_V3.busId, PCI_INFO_V3.busIdLength))
      : null;

  /** Reads anew what seldom changes, and asks again for all that the board did not have. */
  const refresh = (device: Device): void => {
    const { handle, facts } = device;
    if (handle === null || facts.mig) return;
    askForAll(device);
    const code = codeOf(nvml.nvmlDeviceGetEnforcedPowerLimit?.(handle, number));
    const powerLimit = code === CODE.success ? number.readUInt32LE(0) / 1000 : null;
    if (powerLimit === null) fail(device, ['powerLimit'], code);
    else know(device, 'powerLimit', powerLimit);
    const name = textOf(nvml.nvmlDeviceGetName?.(handle, text, text.length));
    device.isPartitioned = nvml.nvmlDeviceGetMigMode?.(handle, number, pending) === CODE.success && number[0] === 1;
    if (device.isPartitioned) drop(device, NOT_UNDER_MIG, 'MIG is on: NVML does not measure it then');
    device.pcie.unambiguousUs = unambiguousUsOf(
      numberOf(nvml.nvmlDeviceGetMaxPcieLinkGeneration?.(handle, number)),
      numberOf(nvml.nvmlDeviceGetMaxPcieLinkWidth?.(handle, number)),
    );
    readMemory(device);
    const memoryTotal = valueIn(device, 'memoryTotal');
    device.facts = { ...facts, name, driver: driver(), memoryTotal, powerLimit, pciBusId: busIdOf(handle) };
  };

  const open = (index: number): Device | number => {
    const code = codeOf(nvml.nvmlDeviceGetHandleByIndex_v2?.(index, handleBytes));
    if (code !== CODE.success) return code;
    const handle = handleBytes.readBigUInt64LE(0);
    const named = codeOf(nvml.nvmlDeviceGetUUID?.(handle, text, text.length));
    if (named !== CODE.success) return named;
    const unknown = { name: null, driver: null, memoryTotal: null, powerLimit: null };
    const device = createDevice({ uuid: readText(text), index, ...unknown }, handle);
    refresh(device);
    return device;
  };

  return {
    refresh,
    /** How many GPUs the driver counts, also those that cannot be opened. Throws {@link DriverGone}. */
    count: (): number => {
      const code = codeOf(nvml.nvmlDeviceGetCount_v2?.(number));
      if (code !== CODE.success) throw new DriverGone(code);
      return number.readUInt32LE(0);
    },
    /**
     * Opens every GPU. One that was `known` and cannot be opened, or is not there, comes without a handle and with what
     * ails it, so that it is not forgotten.
     */
    find: (count: number, known: readonly ObservedGpu[]): Found => {
      const opened = Array.from({ length: count }, (_, index) => open(index));
      const devices = opened.filter((device) => typeof device !== 'number');
      const refusals = new Map(
        opened.flatMap((device, index) => (typeof device === 'number' ? [[index, device]] : [])),
      );
      const missing = known
        .filter(({ uuid }) => !devices.some(({ facts }) => facts.uuid === uuid))
        .map((facts) => {
          const device = createDevice(facts, null);
          const code = refusals.get(facts.index);
          refusals.delete(facts.index);
          suffer(device, code === undefined ? NOT_LISTED : wordsOf(code));
          return device;
        });
      const unnamed = [...refusals].map(([index, code]) => `GPU ${index} cannot be opened: ${wordsOf(code)}`);
      return { devices: [...devices, ...missing], unnamed };
    },
  };
};
