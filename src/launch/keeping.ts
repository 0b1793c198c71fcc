import { randomBytes } from 'node:crypto';
import { mkdirSync, openSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What is written down of a launch before it starts. */
export type KeepingRequest = {
  /** Program and arguments. */
  readonly command: readonly string[];
  /** Where the training starts. */
  readonly cwd: string;
  readonly host: string;
  /** Null where the system has no name for the user. */
  readonly user: string | null;
  /** Now, in ms since 1970. */
  readonly startedAt: number;
  /** The folder of all launches. */
  readonly launches: string;
  /** Says one line to the person. */
  readonly warn: (line: string) => void;
};

/** The open folder of one launch; what is in it is written in docs/run.md. */
export type Keeping = {
  readonly folder: string;
  /** A descriptor of `console.log`, open for appending. */
  readonly console: number;
};

/**
 * Makes the folder of a launch and writes `launch.json`. A folder that cannot be written costs the records, never the
 * training: then it is null, after one warning. Only its owner may look: words and output can hold secrets.
 */
export const openKeeping = (request: KeepingRequest): Keeping | null => {
  const { command, cwd, host, user, startedAt, launches, warn } = request;
  const id = `${new Date(startedAt).toISOString().replace(/\D/g, '').slice(0, 14)}-${randomBytes(3).toString('hex')}`;
  const folder = join(launches, id);
  try {
    mkdirSync(launches, { recursive: true });
    mkdirSync(folder, { mode: 0o700 });
    writeWhole(join(folder, 'launch.json'), { version: 1, id, command, cwd, host, user, startedAt });
    return { folder, console: openSync(join(folder, 'console.log'), 'a') };
  } catch (error) {
    const reason = error instanceof Error ? error.message : error;
    warn(`nothing is kept of this training, it runs all the same: ${reason}`);
    return null;
  }
};

/** A reader sees all of it or nothing. */
const writeWhole = (path: string, value: unknown): void => {
  writeFileSync(`${path}.new`, `${JSON.stringify(value)}\n`);
  renameSync(`${path}.new`, path);
};
