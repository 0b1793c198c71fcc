import { codeOf, DriverGone } from './device.ts';
import type { Nvml } from './library.ts';
import type { XidMessage } from './protocol.ts';
import { CODE } from './return-codes.ts';
import { EVENT, HANDLE_SIZE, readText, readU64, TEXT_SIZE } from './structs.ts';

/** nvmlEventTypeXidCriticalError. */
const XID = 0x8;

/** What of an initialised library is waited for: XIDs of every GPU that tells them. */
export type EventSet = {
  /** How many GPUs tell theirs. */
  readonly gpus: number;
  /** There are GPUs, and every one was asked. */
  readonly isWhole: boolean;
  /** Blocks until there is an XID, or for so long; then null. Throws {@link DriverGone} on every other answer. */
  readonly wait: (ms: number) => XidMessage | null;
  readonly close: () => void;
};

/** Only what comes from here on is told: the driver keeps no events for later. Throws {@link DriverGone}. */
export const openEventSet = (nvml: Nvml): EventSet => {
  const handleBytes = Buffer.alloc(HANDLE_SIZE);
  const number = Buffer.alloc(8);
  const text = Buffer.alloc(TEXT_SIZE);
  const event = Buffer.alloc(EVENT.size);
  const uuids = new Map<bigint, string>();

  const orGone = (code: number | undefined): void => {
    if (codeOf(code) !== CODE.success) throw new DriverGone(codeOf(code));
  };

  orGone(nvml.nvmlEventSetCreate?.(handleBytes));
  const set = handleBytes.readBigUInt64LE(0);

  /** False: it could not be asked now. One that has no such events was asked. */
  const register = (index: number): boolean => {
    if (nvml.nvmlDeviceGetHandleByIndex_v2?.(index, handleBytes) !== CODE.success) return false;
    const handle = handleBytes.readBigUInt64LE(0);
    if (nvml.nvmlDeviceGetUUID?.(handle, text, text.length) !== CODE.success) return false;
    // Of a type that a board does not have, the call that registers would leave the set undefined.
    const code = codeOf(nvml.nvmlDeviceGetSupportedEventTypes?.(handle, number));
    if (code !== CODE.success) return code === CODE.notSupported || code === CODE.functionNotFound;
    if ((number.readUInt32LE(0) & XID) === 0) return true;
    if (nvml.nvmlDeviceRegisterEvents?.(handle, XID, set) !== CODE.success) return false;
    uuids.set(handle, readText(text));
    return true;
  };

  orGone(nvml.nvmlDeviceGetCount_v2?.(number));
  const asked = Array.from({ length: number.readUInt32LE(0) }, (_, index) => register(index));

  return {
    gpus: uuids.size,
    isWhole: asked.length > 0 && asked.every((wasAsked) => wasAsked),
    wait: (ms) => {
      const code = codeOf(nvml.nvmlEventSetWait_v2?.(set, event, ms));
      if (code === CODE.timeout) return null;
      orGone(code);
      const uuid = uuids.get(event.readBigUInt64LE(EVENT.device));
      const xid = readU64(event, EVENT.data);
      // A driver was seen to wake waiters with an XID of 0 or with events that nobody had asked for.
      if (uuid === undefined || readU64(event, EVENT.type) !== XID || xid === 0) return null;
      return { xid, uuid };
    },
    close: () => {
      nvml.nvmlEventSetFree?.(set);
    },
  };
};
