import { createWriteStream, existsSync, realpathSync } from 'node:fs';
import { Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { bytesInWords, counted, listed } from '../doctor/wording.ts';
import { backUp } from '../store/care/backup.ts';
import { checkDatabase } from '../store/care/check.ts';
import { readContents } from '../store/care/contents.ts';
import { select } from '../store/care/export-samples.ts';
import { openReader } from '../store/care/open-reader.ts';
import { vacuum } from '../store/care/vacuum.ts';
import { claimDatabase } from '../store/claim.ts';
import { newestSchemaIn } from '../store/migrate.ts';
import { salvage } from '../store/salvage.ts';
import { StoreError } from '../store/store-error.ts';
import { describeContents } from './contents-text.ts';
import type { Request } from './request.ts';
import { sampleLines } from './sample-lines.ts';

/** What the terminal is to the command. */
export type DbCommand = {
  readonly request: Request;
  readonly db: string;
  /** The folder of the migrations. */
  readonly migrations: string;
  /** ms. */
  readonly now: number;
  readonly stdout: Writable;
  /** Writes to the terminal of a person who waits; null: there is none. */
  readonly writeProgress: ((text: string) => void) | null;
};

/** `signalbox db`: does what is asked, and says whether all is well. Throws {@link StoreError}. */
export const runDb = async (command: DbCommand): Promise<boolean> => {
  const { request, db: path, migrations } = command;
  switch (request.task) {
    case 'vacuum':
      return vacuumed(command);
    case 'salvage':
      return salvaged(command);
    case 'info':
    case 'check':
    case 'backup':
    case 'export': {
      const db = openReader(path, newestSchemaIn(migrations));
      try {
        return await read(command, db, request);
      } finally {
        db.close();
      }
    }
  }
};

const read = async (
  command: DbCommand,
  db: Db,
  request: Exclude<Request, { task: 'vacuum' | 'salvage' }>,
): Promise<boolean> => {
  switch (request.task) {
    case 'info': {
      const contents = readContents(db);
      const asText = request.format === 'text';
      say(
        command,
        asText
          ? describeContents(contents, newestSchemaIn(command.migrations))
          : `${JSON.stringify(contents, null, 2)}\n`,
      );
      return true;
    }
    case 'check':
      return checked(command, db);
    case 'backup': {
      const progress = progressOf(command);
      await backUp(db, request.target, (share) => progress('copying', share));
      progress(null);
      say(command, `${request.target} is a whole copy, checked.\n`);
      return true;
    }
    case 'export':
      return await exported(command, db, request);
  }
};

type Db = ReturnType<typeof openReader>;

const say = ({ stdout }: DbCommand, text: string): void => {
  stdout.write(text);
};

const vacuumed = (command: DbCommand): boolean => {
  const progress = progressOf(command);
  progress('writing it anew');
  const { before, after } = vacuum(command.db, newestSchemaIn(command.migrations));
  progress(null);
  say(command, `${command.db}: ${bytesInWords(before)} before, ${bytesInWords(after)} now.\n`);
  return true;
};

const salvaged = (command: DbCommand): boolean => {
  const { db, migrations, now } = command;
  openReader(db, newestSchemaIn(migrations)).close();
  const path = realpathSync(db);
  const claim = claimDatabase(path);
  const progress = progressOf(command);
  try {
    if (isSound(path, command)) {
      say(command, `${path} is sound: there is nothing to salvage.\n`);
      return true;
    }
    progress('copying what can be read');
    const { saved, incomplete, setAside } = salvage({ path, migrations, now });
    const rows = Object.values(saved).reduce((sum, count) => sum + count, 0);
    const lost = incomplete.length === 0 ? 'nothing is lost' : `something is lost of ${listed(incomplete, 30)}`;
    progress(null);
    say(command, `${path} is new, with ${counted(rows, 'row')}: ${lost}.\nWhat it was made of is ${setAside}.\n`);
    return true;
  } finally {
    claim.release();
  }
};

const isSound = (path: string, command: DbCommand): boolean => {
  const reader = openReader(path, newestSchemaIn(command.migrations));
  const progress = progressOf(command);
  try {
    return checkDatabase(reader, progress).length === 0;
  } finally {
    progress(null);
    reader.close();
  }
};

const checked = (command: DbCommand, db: Db): boolean => {
  const progress = progressOf(command);
  const faults = checkDatabase(db, progress);
  progress(null);
  if (faults.length === 0) say(command, `${command.db} is sound: every page, reference and chunk.\n`);
  else say(command, `${command.db} is damaged:\n${faults.map((fault) => `  ${fault}\n`).join('')}${ADVICE}`);
  return faults.length === 0;
};

const exported = async (command: DbCommand, db: Db, request: Request & { task: 'export' }): Promise<boolean> => {
  const { what, format, out } = request;
  if (out !== null && existsSync(out)) throw new StoreError(`${out} is there already, and is not overwritten`);
  const lines = Readable.from(sampleLines(select(db, what, request), format));
  try {
    if (out === null) await pipeline(lines, command.stdout, { end: false });
    else await pipeline(lines, createWriteStream(out, { flags: 'wx' }));
  } catch (error) {
    // Who reads has enough: `signalbox db export gpu:0 | head`.
    if (!(error instanceof Error && 'code' in error && error.code === 'EPIPE')) throw error;
  }
  return true;
};

const ADVICE = 'signalbox db salvage makes a new one of what can be read of it, and keeps this one aside.\n';

/** One line that is written over and over, once for each per cent; null takes it away. */
const progressOf = ({ writeProgress }: DbCommand): ((what: string | null, share?: number | null) => void) => {
  let said = '';
  return (what, share = null) => {
    const line = what === null ? '' : `${what}${share === null ? ' …' : ` ${Math.floor(share * 100)} %`}`;
    if (line !== said) writeProgress?.(`\r\u001b[K${line}`);
    said = line;
  };
};
