import type { RunEvent } from '../../core/trace.ts';
import { createConsoleReader } from './reader.ts';
import { createSegmenter } from './segments.ts';

/** An event of a console log, with the process that it belongs to. */
export type ConsoleItem = {
  /** The byte behind the text that the event came from. */
  readonly offset: number;
  readonly event: RunEvent;
  /** Counts the processes (or trainings of one process) in the log. */
  readonly process: number;
  /** The run folder that this process has named so far, as printed. */
  readonly folder: string | null;
};

/** Turns the bytes of a console log into events. Pure; nothing that it is fed makes it throw. */
export type ConsoleParser = {
  readonly push: (bytes: Buffer) => readonly ConsoleItem[];
  /** The file is quiet: what stands behind its last line end is taken too. When that goes on, it comes again, whole. */
  readonly rest: () => readonly ConsoleItem[];
};

/** Nothing read yet. A console has no clock: `t` is null in every event. */
export const createConsoleParser = (): ConsoleParser => {
  const segments = createSegmenter();
  let items: ConsoleItem[] = [];
  let offset = 0;
  let process = 0;
  let folder: string | null = null;

  const reader = createConsoleReader({
    say: (event) => {
      items.push({ offset, event, process, folder });
    },
    beginProcess: () => {
      process += 1;
      folder = null;
    },
    nameFolder: (name) => {
      // Another folder without another header: a second training in one process.
      if (folder !== null && name !== folder) process += 1;
      folder = name;
    },
  });

  const take = (raw: string, end: number) => {
    offset = end;
    reader.take(raw);
  };
  const taken = (): readonly ConsoleItem[] => {
    const found = items;
    items = [];
    return found;
  };

  return {
    push: (bytes) => {
      segments.push(bytes, take);
      return taken();
    },
    rest: () => {
      segments.rest(take);
      return taken();
    },
  };
};
