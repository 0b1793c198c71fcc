import { codeOf, type Device, fail, isAsked, know } from './device.ts';
import type { Nvml } from './library.ts';
import { CODE } from './return-codes.ts';
import { readU64 } from './structs.ts';

/** nvmlMemoryErrorType_t; volatile counts begin at the driver's load, aggregate ones never end. */
const CORRECTED = 0;
const UNCORRECTED = 1;
const VOLATILE = 0;
const ROWS = ['rowRemapPending', 'rowRemapFailed'] as const;

/** Reads what tells how the board fares: ECC errors since the driver's load, rows to be remapped, the fan. */
export const createHealthReader = (nvml: Nvml): ((device: Device) => void) => {
  const count = Buffer.alloc(8);
  const corrected = Buffer.alloc(4);
  const uncorrected = Buffer.alloc(4);
  const pending = Buffer.alloc(4);
  const failed = Buffer.alloc(4);

  const readErrors = (device: Device, handle: bigint, metric: 'eccErrors' | 'eccCorrected', kind: number): void => {
    if (!isAsked(device, metric)) return;
    const code = codeOf(nvml.nvmlDeviceGetTotalEccErrors?.(handle, kind, VOLATILE, count));
    if (code === CODE.success) know(device, metric, readU64(count, 0));
    else fail(device, [metric], code);
  };

  const readRows = (device: Device, handle: bigint): void => {
    if (!isAsked(device, 'rowRemapPending')) return;
    const code = codeOf(nvml.nvmlDeviceGetRemappedRows?.(handle, corrected, uncorrected, pending, failed));
    if (code !== CODE.success) {
      fail(device, ROWS, code);
      return;
    }
    know(device, 'rowRemapPending', pending.readUInt32LE(0) === 0 ? 0 : 1);
    know(device, 'rowRemapFailed', failed.readUInt32LE(0) === 0 ? 0 : 1);
  };

  return (device) => {
    const { handle } = device;
    if (handle === null) return;
    readErrors(device, handle, 'eccErrors', UNCORRECTED);
    readErrors(device, handle, 'eccCorrected', CORRECTED);
    readRows(device, handle);
    if (!isAsked(device, 'fan')) return;
    const code = codeOf(nvml.nvmlDeviceGetFanSpeed?.(handle, count));
    if (code === CODE.success) know(device, 'fan', count.readUInt32LE(0));
    else fail(device, ['fan'], code);
  };
};
