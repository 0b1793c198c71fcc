/**
 * Sizes, offsets and versions of NVML's C structs in bytes, as compiled from nvml.h 13.3 (the same on x86-64 and arm64).
 * A version word is the size with the version in its highest byte; the library refuses a call without it.
 */
export const UTILIZATION = { size: 8, gpu: 0, memory: 4 } as const;
export const MEMORY_V1 = { size: 24, total: 0, used: 16 } as const;
export const MEMORY_V2 = { size: 40, version: 0x0200_0028, total: 8, reserved: 16, used: 32 } as const;
export const TEMPERATURE_V1 = { size: 12, version: 0x0100_000c, sensor: 4, temperature: 8 } as const;
export const PCI_INFO_V3 = { size: 68, busId: 36, busIdLength: 32 } as const;
/** `timestamp` in µs, of an origin that is not the same everywhere: only to be compared with others of its kind. */
export const SAMPLE = { size: 16, timestamp: 0, value: 8 } as const;
/** `timestamp` in µs. */
export const FIELD = { size: 40, id: 0, scope: 4, timestamp: 8, type: 24, code: 28, value: 32 } as const;
export const PROCESS_V1 = { size: 16, pid: 0, memory: 8 } as const;
/** Of `_v2` and `_v3`; see `processes.ts` for those drivers that wrote 32 bytes. */
export const PROCESS_V2 = { size: 24, longSize: 32, pid: 0, memory: 8 } as const;
export const PROCESS_SAMPLE = { size: 32, pid: 0, timestamp: 8, sm: 16 } as const;
/** nvmlEventData_t; of `nvmlEventSetWait_v2`, which adds the MIG instance. */
export const EVENT = { size: 32, device: 0, type: 8, data: 16 } as const;
export const HANDLE_SIZE = 8;
export const TEXT_SIZE = 96;

/** Where memory of a process stands for "not known". */
export const NO_MEMORY = 0xffff_ffff_ffff_ffffn;

/** The type of the value in a sample or a field, from nvmlValueType_t; a type that is not known has no number. */
export const readTyped = (buffer: Buffer, at: number, type: number): number | null => {
  switch (type) {
    case 0:
      return buffer.readDoubleLE(at);
    case 1:
      return buffer.readUInt32LE(at);
    case 2:
    case 3:
      return readU64(buffer, at);
    case 4:
      return Number(buffer.readBigInt64LE(at));
    case 5:
      return buffer.readInt32LE(at);
    case 6:
      return buffer.readUInt16LE(at);
    default:
      return null;
  }
};

/** As a number, without making a BigInt ten times a second; exact below 2^53, which no byte or µs count reaches. */
export const readU64 = (buffer: Buffer, at: number): number =>
  buffer.readUInt32LE(at + 4) * 2 ** 32 + buffer.readUInt32LE(at);

/** The C string at the start of a buffer; latin1, since nobody promises anything better. */
export const readText = (buffer: Buffer, from = 0, length = buffer.length - from): string => {
  const end = buffer.indexOf(0, from);
  return buffer.toString('latin1', from, end < 0 || end > from + length ? from + length : end);
};
