import { readFileSync } from 'node:fs';
import { processStartOf } from '../../core/process-start.ts';
import { environmentOf } from './environment.ts';
import { shownCommand } from './facts.ts';
import { textIfAllowed } from './files.ts';
import type { RoleFacts } from './roles.ts';
import { type ProcessStat, parseIo, parseStat, parseStatm } from './stat.ts';

/** A process as one look found it. */
export type Probe = Omit<RoleFacts, 'isKnown'> & {
  readonly state: string;
  readonly startedAt: number | null;
  /** For people, without secrets. */
  readonly command: string | null;
  readonly environment: Readonly<Record<string, string>> | null;
  /** Bytes: all that it has in memory, and what of that is of a file or of shared memory; null: not known. */
  readonly memory: { readonly resident: number; readonly shared: number } | null;
  /** % of a core, and bytes/s, since the look before; null at the first one. */
  readonly cpu: number | null;
  readonly diskRead: number | null;
  readonly diskWrite: number | null;
  readonly isNew: boolean;
  readonly workedAt: number;
};

/** What is remembered of a process from look to look. */
type Known = Pick<Probe, 'cmdline' | 'command' | 'environment' | 'startedAt'> & {
  readonly stat: ProcessStat;
  readonly io: ReturnType<typeof parseIo>;
  readonly at: number;
  readonly workedAt: number;
};

const MS_PER_TICK = 10;

/** Looks at processes again and again: three small reads a process, and five at the first look at it. */
export const createProber = (procfs: string) => {
  let known = new Map<number, Known>();
  let seen = new Map<number, Known>();
  let systemStat: string | null = null;
  let pageBytes: number | null | undefined;

  /** What does not change while a process keeps its name. */
  const describe = (folder: string, stat: string | null) => {
    const cmdline = textIfAllowed(`${folder}/cmdline`);
    systemStat ??= textIfAllowed(`${procfs}/stat`);
    return {
      cmdline,
      command: shownCommand(cmdline),
      environment: environmentOf(textIfAllowed(`${folder}/environ`)),
      startedAt: processStartOf(stat, systemStat),
    };
  };

  const probe = (pid: number, at: number): Probe | null => {
    const folder = `${procfs}/${pid}`;
    const statText = textIfAllowed(`${folder}/stat`);
    const stat = parseStat(statText);
    if (stat === null) return null;
    const last = known.get(pid);
    // A pid that was given again is another process; one with a new name may be running another program.
    const before = last?.stat.startTicks === stat.startTicks ? last : undefined;
    const same = before?.stat.name === stat.name ? before : undefined;
    const io = parseIo(textIfAllowed(`${folder}/io`));
    const elapsedMs = before === undefined ? 0 : at - before.at;
    const cpuMs = before === undefined ? 0 : (stat.cpuTicks - before.stat.cpuTicks) * MS_PER_TICK;
    const works = before === undefined || cpuMs > 0 || stat.state === 'D';
    const now: Known = {
      ...(same ?? describe(folder, statText)),
      stat,
      io,
      at,
      workedAt: works ? at : before.workedAt,
    };
    seen.set(pid, now);
    pageBytes = pageBytes === undefined ? pageBytesOf(procfs) : pageBytes;
    const pages = parseStatm(textIfAllowed(`${folder}/statm`));
    const perSecond = (from: number | undefined, to: number | undefined): number | null =>
      from === undefined || to === undefined || to < from || elapsedMs <= 0
        ? null
        : Math.round(((to - from) * 1000) / elapsedMs);
    return {
      pid,
      parent: stat.parent,
      name: stat.name,
      cmdline: now.cmdline,
      rank: now.environment?.RANK ?? now.environment?.LOCAL_RANK ?? null,
      state: stat.state,
      startedAt: now.startedAt,
      command: now.command,
      environment: now.environment,
      memory:
        pages === null || pageBytes === null
          ? null
          : { resident: pages.resident * pageBytes, shared: pages.shared * pageBytes },
      cpu: elapsedMs <= 0 || cpuMs < 0 ? null : Math.round((cpuMs / elapsedMs) * 1000) / 10,
      diskRead: perSecond(before?.io?.read, io?.read),
      diskWrite: perSecond(before?.io?.written, io?.written),
      isNew: before === undefined,
      workedAt: now.workedAt,
    };
  };

  return {
    /** The process as it is at this moment (ms); null when it is gone or hidden. */
    probe,
    /** A round of looks is over: who was not looked at in it is forgotten. */
    endRound: () => {
      known = seen;
      seen = new Map();
    },
  };
};

const AT_PAGESZ = 6n;
const ENTRY_BYTES = 16;

/** The size of a page, by what the kernel tells each 64-bit program at its start; see getauxval(3). */
const pageBytesOf = (procfs: string): number | null => {
  const vector = bytesIfThere(`${procfs}/self/auxv`);
  for (let at = 0; at + ENTRY_BYTES <= vector.length; at += ENTRY_BYTES) {
    if (vector.readBigUInt64LE(at) === AT_PAGESZ) return Number(vector.readBigUInt64LE(at + ENTRY_BYTES / 2));
  }
  return null;
};

const bytesIfThere = (path: string): Buffer => {
  try {
    return readFileSync(path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'EACCES'))
      return Buffer.alloc(0);
    throw error;
  }
};
