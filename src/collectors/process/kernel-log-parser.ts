import { parsePciBusId } from '../gpu/pci-bus-id.ts';

/** A process that the kernel killed for want of memory, as one record of the kernel log tells it. */
export type KernelKillRecord = {
  /** Microseconds since boot. */
  readonly us: number;
  readonly pid: number;
  /** The message, as it stands in the log. */
  readonly line: string;
};

const MAX_LINE_CHARACTERS = 500;

/** An error of a GPU that its driver wrote into the kernel log. */
export type XidRecord = {
  /** Microseconds since boot. */
  readonly us: number;
  /** Place of the GPU on the PCI bus, such as `0000:61:00`; of a MIG instance that of the whole GPU. */
  readonly gpu: string;
  readonly xid: number;
  /** The message, as it stands in the log. */
  readonly line: string;
};

/**
 * A kill in one record of /dev/kmsg, `LEVEL,SEQUENCE,MICROSECONDS,FLAGS;MESSAGE`; null when it tells of none. The forms
 * are those of Linux 2.6.36 to 6: `Out of memory: Killed process 1234 (python) total-vm:…`, the same of a memory cgroup,
 * and the bare `Killed process …`. Source: Documentation/ABI/testing/dev-kmsg and mm/oom_kill.c of Linux.
 */
export const parseKernelKill = (record: string): KernelKillRecord | null => {
  const said = messageOf(record);
  const pid = /^(?:(?:Memory cgroup out|Out) of memory(?: \([^)]*\))?: )?Killed process (\d+)(?:,[^(]*)? \(/i.exec(
    said?.line ?? '',
  )?.[1];
  return said === null || pid === undefined ? null : { ...said, pid: Number(pid) };
};

/**
 * An XID in one record of /dev/kmsg; null when it tells of none. `NVRM: Xid (PCI:0000:61:00): 79, pid=1234, name=python,
 * GPU has fallen off the bus.` is the form since driver 510; the process is missing in older ones (`31, Ch 00000009, …`),
 * `PCI:` before 2013, and under MIG the parenthesis goes on: `PCI:0000:61:00 GPU-I:05 GPU-CI:00`. What NVSwitches say
 * (`SXid`) is not a GPU's. Source: nvErrorLog of NVIDIA/open-gpu-kernel-modules, and logs in the field.
 */
export const parseXid = (record: string): XidRecord | null => {
  const said = messageOf(record);
  const [, place = '', xid] = /^NVRM: Xid \(([^ )]+)[^)]*\): (\d+)(?:,|$)/.exec(said?.line ?? '') ?? [];
  const gpu = parsePciBusId(place);
  return said === null || gpu === null || xid === undefined ? null : { ...said, gpu, xid: Number(xid) };
};

/** null when the record is none, or was not written by the kernel itself: a level of 8 or more names another facility. */
const messageOf = (record: string): { readonly us: number; readonly line: string } | null => {
  const [, level, us, message = ''] = /^(\d+),\d+,(\d+),[^;]*;(.*)$/.exec(record) ?? [];
  return level === undefined || Number(level) >= 8
    ? null
    : { us: Number(us), line: message.slice(0, MAX_LINE_CHARACTERS) };
};
