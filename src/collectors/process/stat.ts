/** What `/proc/PID/stat` says of a process. */
export type ProcessStat = {
  /** The name of its main thread, at most 15 bytes: the program's, until the program gives itself another. */
  readonly name: string;
  /** R, S, D, Z, T … */
  readonly state: string;
  /** 0: it has none that can be seen. */
  readonly parent: number;
  /** CPU time of all its threads, user and system, in ticks of 10 ms. */
  readonly cpuTicks: number;
  /** Ticks from boot to its start: with the pid it names a process for ever. */
  readonly startTicks: number;
};

/** null for a process that is gone, and for what is no such text. Fields as in proc(5), counted behind the name. */
export const parseStat = (text: string | null): ProcessStat | null => {
  if (text === null) return null;
  // A name may hold any character, spaces and parentheses too.
  const opens = text.indexOf('(');
  const closes = text.lastIndexOf(')');
  const [state = '', parent, ...fields] = text.slice(closes + 2).split(' ');
  const [cpuTicks, startTicks] = [Number(fields[9]) + Number(fields[10]), Number(fields[17])];
  return opens < 0 || closes < opens || state === '' || !isCount(Number(parent), cpuTicks, startTicks)
    ? null
    : { name: text.slice(opens + 1, closes), state, parent: Number(parent), cpuTicks, startTicks };
};

const isCount = (...values: readonly number[]): boolean =>
  values.every((value) => Number.isFinite(value) && value >= 0);

/** Bytes that a process had fetched from and sent to disks, of `/proc/PID/io`; null where that may not be read. */
export const parseIo = (text: string | null): { readonly read: number; readonly written: number } | null => {
  const read = /^read_bytes: (\d+)$/m.exec(text ?? '')?.[1];
  const written = /^write_bytes: (\d+)$/m.exec(text ?? '')?.[1];
  return read === undefined || written === undefined ? null : { read: Number(read), written: Number(written) };
};

/** Pages of `/proc/PID/statm`: all that are in memory, and those of them that are of a file or of shared memory. */
export const parseStatm = (text: string | null): { readonly resident: number; readonly shared: number } | null => {
  const [, resident, shared] = /^\d+ (\d+) (\d+)/.exec(text ?? '') ?? [];
  return resident === undefined || shared === undefined ? null : { resident: Number(resident), shared: Number(shared) };
};
