import { readFile } from 'node:fs/promises';
import { constants } from 'node:os';
import { basename, join } from 'node:path';
import { type Static, type TSchema, Type } from 'typebox';
import { Value } from 'typebox/value';
import { processStartOf } from '../../core/process-start.ts';
import { fileOrNull } from '../file/stat.ts';

/** A training that was started by `signalbox run`, as its folder tells. Moments in ms since 1970. */
export type Launch = {
  /** The name of its folder; rises with the time of the start. */
  readonly id: string;
  /** Program and arguments as they were given: secrets included. */
  readonly command: readonly string[];
  readonly cwd: string;
  readonly host: string;
  readonly user: string | null;
  readonly startedAt: number;
  /** The training's own process on `host`; null until it has one, and where it could not be written down. */
  readonly pid: number | null;
  readonly processStartedAt: number | null;
  /** Null while it runs, and when nobody was left to write it down. */
  readonly exit: LaunchExit | null;
  /** The bytes that the training wrote to its screen; may not be there. */
  readonly consolePath: string;
};

/** How it ended: one of `exitCode` and `signal` is null. A program that exits with 143 by itself reads as SIGTERM. */
export type LaunchExit = {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly endedAt: number;
};

const MomentSchema = Type.Integer({ minimum: 0, maximum: 8.64e15 });

const StartSchema = Type.Object({
  version: Type.Literal(1),
  command: Type.Array(Type.String(), { minItems: 1 }),
  cwd: Type.String({ pattern: '^/' }),
  host: Type.String(),
  user: Type.Union([Type.String(), Type.Null()]),
  startedAt: MomentSchema,
});

const ProcessSchema = Type.Object({
  pid: Type.Integer({ minimum: 1, maximum: 2 ** 31 - 1 }),
  /** `/proc/PID/stat` and the line `btime` of `/proc/stat`; empty where there is no /proc. */
  stat: Type.String(),
  systemStat: Type.String(),
});

/** `status` as a shell has it: 128 + n after signal n. */
const ExitSchema = Type.Object({ status: Type.Integer({ minimum: 0, maximum: 255 }), endedAt: MomentSchema });

/** Every file that a launch can leave, for those who remove one; `.new` is a record that a full disk cut short. */
export const LAUNCH_FILES: readonly string[] = [
  'launch.json',
  'launch.json.new',
  'process.json',
  'process.json.new',
  'exit.json',
  'exit.json.new',
  'console.log',
];

/** No record is larger: a command line has at most 128 KiB, which JSON can make six times as long. */
const MAX_RECORD_BYTES = 1024 * 1024;

/** Reads one folder of `launches/`; null when it holds no launch, or one whose start cannot be understood. */
export const readLaunch = async (folder: string): Promise<Launch | null> => {
  const start = await readRecord(join(folder, 'launch.json'), StartSchema);
  if (start === null) return null;
  const { command, cwd, host, user, startedAt } = start;
  const process = await readRecord(join(folder, 'process.json'), ProcessSchema);
  const exit = await readRecord(join(folder, 'exit.json'), ExitSchema);
  return {
    id: basename(folder),
    command,
    cwd,
    host,
    user,
    startedAt,
    pid: process?.pid ?? null,
    processStartedAt: process && processStartOf(process.stat, process.systemStat),
    exit: exit && { ...splitStatus(exit.status), endedAt: exit.endedAt },
    consolePath: join(folder, 'console.log'),
  };
};

const splitStatus = (status: number): Pick<LaunchExit, 'exitCode' | 'signal'> => {
  const signal = SIGNALS.get(status - 128) ?? null;
  return { exitCode: signal === null ? status : null, signal };
};

// The keys of os.constants.signals are the names of signals, which Object.entries forgets.
const SIGNALS = new Map(
  (Object.entries(constants.signals) as [NodeJS.Signals, number][]).map(([name, n]) => [n, name]),
);

/** Null where there is no such file, or where it does not hold what it should; throws where it cannot be read. */
const readRecord = async <T extends TSchema>(path: string, schema: T): Promise<Static<T> | null> => {
  const found = await fileOrNull(path);
  if (found === null || found.size > MAX_RECORD_BYTES) return null;
  const value = parseJson(await readFile(path, 'utf8'));
  return Value.Check(schema, value) ? value : null;
};

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
};
