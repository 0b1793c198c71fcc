/** A process that the kernel killed for want of memory, as one record of the kernel log tells it. */
export type KernelKillRecord = {
  /** Microseconds since boot. */
  readonly us: number;
  readonly pid: number;
  /** The message, as it stands in the log. */
  readonly line: string;
};

const MAX_LINE_CHARACTERS = 500;

/**
 * One record of /dev/kmsg, `LEVEL,SEQUENCE,MICROSECONDS,FLAGS;MESSAGE`; null when it tells of no such kill, or was not
 * written by the kernel itself (a level of 8 or more names another facility). The forms are those of Linux 2.6.36 to 6:
 * `Out of memory: Killed process 1234 (python) total-vm:…`, the same of a memory cgroup, and the bare `Killed process …`.
 * Source: Documentation/ABI/testing/dev-kmsg and mm/oom_kill.c of Linux.
 */
export const parseKernelKill = (record: string): KernelKillRecord | null => {
  const [, level, us, message = ''] = /^(\d+),\d+,(\d+),[^;]*;(.*)$/.exec(record) ?? [];
  if (level === undefined || Number(level) >= 8) return null;
  const pid = /^(?:(?:Memory cgroup out|Out) of memory(?: \([^)]*\))?: )?Killed process (\d+)(?:,[^(]*)? \(/i.exec(
    message,
  )?.[1];
  return pid === undefined ? null : { us: Number(us), pid: Number(pid), line: message.slice(0, MAX_LINE_CHARACTERS) };
};
