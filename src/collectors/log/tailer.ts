import type { BigIntStats } from 'node:fs';
import { setImmediate as othersTurn } from 'node:timers/promises';
import type { RunEvent } from '../../core/trace.ts';
import { type OpenFile, patientAccess } from '../file/access.ts';
import { readAt } from '../file/read.ts';
import { isUnchanged } from '../file/stat.ts';
import { createLogIdentity } from './identity.ts';

/** An event and the byte behind the text that it came from. */
export type LocatedEvent = { readonly offset: number; readonly event: RunEvent };

/** What makes events of a file's bytes, which come in order and in pieces. */
export type LogParser<Item extends LocatedEvent> = {
  readonly push: (bytes: Buffer) => readonly Item[];
  /** What is left behind the last line end, when the file is quiet. */
  readonly rest: () => readonly Item[];
};

/** What one look at a log found. */
export type LogLook<Item extends LocatedEvent> = {
  /** null while its first line is not complete. */
  readonly generation: string | null;
  /** The file's mtime; null while there is no file. */
  readonly writtenAt: number | null;
  /** Bytes; 0 while there is no file. */
  readonly size: number;
  readonly items: readonly Item[];
  /** The look stopped before the file's end. */
  readonly hasMore: boolean;
};

/** Reads one text file as it grows. Holds no descriptor between looks. */
export type LogTailer<Item extends LocatedEvent> = {
  /** Throws what the file system throws and the signal's reason; the next look then says everything again. */
  readonly look: (signal: AbortSignal) => Promise<LogLook<Item>>;
  /** What the last look said got lost: the next one says everything again. */
  readonly startOver: () => void;
};

type Options<Item extends LocatedEvent> = {
  readonly path: string;
  readonly createParser: () => LogParser<Item>;
  /** The clock that the file's mtime is compared with, ms. */
  readonly now: () => number;
};

/** Takes a few milliseconds to parse; between two of them everybody else gets a turn. */
const CHUNK_BYTES = 256 * 1024;
/** What one look takes at most, about a second of work; the next one goes on. */
const MAX_LOOK_BYTES = 64 * 1024 * 1024;
/** And about how many events: they are stored at one go. */
const MAX_LOOK_EVENTS = 2000;
/** A line end that has not come by then may never come. */
const QUIET_MS = 2000;

/**
 * Tails the log at `path`, which need not exist yet. Events without a moment get the file's mtime when they were seen
 * coming; what was there before has none, but for the ending that a log stops with.
 */
export const createLogTailer = <Item extends LocatedEvent>({
  path,
  createParser,
  now,
}: Options<Item>): LogTailer<Item> => {
  const identity = createLogIdentity();
  let parser = createParser();
  let taken = 0;
  let seen: BigIntStats | null = null;
  /** Everything from here on is written under our eyes. */
  let isWatched = false;

  const startOver = () => {
    parser = createParser();
    taken = 0;
    seen = null;
    isWatched = false;
  };

  const readOn = async (file: OpenFile, found: BigIntStats, signal: AbortSignal): Promise<readonly Item[]> => {
    if (taken > 0 && !(await identity.isSame(file, Number(found.size), taken))) {
      startOver();
      isWatched = true;
      identity.begin(Number(found.mtimeMs));
    }
    const end = Math.min(Number(found.size), taken + MAX_LOOK_BYTES);
    const items: Item[] = [];
    for (let first = true; taken < end && items.length < MAX_LOOK_EVENTS; first = false) {
      if (!first) await othersTurn();
      signal.throwIfAborted();
      const bytes = await readAt(file, taken, Math.min(CHUNK_BYTES, end - taken));
      if (bytes.length === 0) break;
      for (const item of parser.push(bytes)) items.push(item);
      identity.take(bytes, taken);
      taken += bytes.length;
    }
    seen = found;
    return items;
  };

  const readFile = async (found: BigIntStats, signal: AbortSignal): Promise<readonly Item[]> => {
    if (isUnchanged(seen, found) && BigInt(taken) === found.size) return [];
    const file = await patientAccess.open(path);
    if (file === null) return [];
    try {
      return await readOn(file, found, signal);
    } finally {
      await file.close();
    }
  };

  const look = async (signal: AbortSignal): Promise<LogLook<Item>> => {
    const found = await patientAccess.stat(path);
    if (found === null) {
      isWatched ||= taken === 0;
      return { generation: identity.generation(), writtenAt: null, size: 0, items: [], hasMore: false };
    }
    const writtenAt = Number(found.mtimeMs);
    const items = [...(await readFile(found, signal))];
    const isCaughtUp = BigInt(taken) === found.size;
    const generation = identity.generation();
    if (generation !== null && isCaughtUp && now() - writtenAt >= QUIET_MS) items.push(...parser.rest());
    const dated = isWatched
      ? items.map((item) => withMoment(item, writtenAt))
      : dateEnding(items, isCaughtUp, writtenAt);
    isWatched ||= isCaughtUp;
    return { generation, writtenAt, size: Number(found.size), items: dated, hasMore: !isCaughtUp };
  };

  return {
    look: async (signal) => {
      try {
        return await look(signal);
      } catch (error) {
        startOver();
        throw error;
      }
    },
    startOver,
  };
};

const withMoment = <Item extends LocatedEvent>(item: Item, t: number): Item =>
  item.event.t === null ? { ...item, event: { ...item.event, t } } : item;

/** Lines and a table may follow an ending; anything else shows that it was none. */
const GOES_ON: ReadonlySet<RunEvent['kind']> = new Set(['start', 'batch', 'phase', 'epoch', 'end']);

const dateEnding = <Item extends LocatedEvent>(
  items: readonly Item[],
  isCaughtUp: boolean,
  writtenAt: number,
): readonly Item[] => {
  const last = items.findLastIndex(({ event }) => GOES_ON.has(event.kind));
  if (!isCaughtUp || items[last]?.event.kind !== 'end') return items;
  return items.map((item, place) => (place === last ? withMoment(item, writtenAt) : item));
};
