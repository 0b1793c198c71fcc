import type { ObservedOutput } from '../../core/batch.ts';
import { type ConsoleItem, createConsoleParser } from '../console/parser.ts';
import { createLogTailer } from './tailer.ts';

/** The path of the run folder that a console calls `folder` (often relative to where the training ran); null: not known yet. */
export type RunOf = (folder: string, logPath: string) => string | null;

/** What one look at a shared log found; `hasMore`: it stopped before the file's end. */
export type SharedLook = { readonly outputs: readonly ObservedOutput[]; readonly hasMore: boolean };

/** One console log that serves several runs, one after another. */
export type SharedLog = {
  /** What each run got since the last look; what no known run claims is kept back. Throws as a tailer does. */
  readonly look: (signal: AbortSignal) => Promise<SharedLook>;
  readonly startOver: () => void;
};

/** What one process (or one training of it) wrote and nobody got so far. */
type Part = { readonly process: number; folder: string | null; items: readonly ConsoleItem[] };

/** Events that are kept back for runs that are not known; the oldest part goes first. */
const MAX_KEPT_BACK = 100_000;

type Options = { readonly path: string; readonly runOf: RunOf; readonly now: () => number };

/**
 * Tails the log at `path` and gives each process's part to the run whose folder it names: from its header on, though
 * the name comes later. What a process wrote that never named a folder belongs to nobody.
 */
export const createSharedLog = ({ path, runOf, now }: Options): SharedLog => {
  const tailer = createLogTailer({ path, createParser: createConsoleParser, now });
  let parts: readonly Part[] = [];
  let current: string | null = null;

  const divide = (items: readonly ConsoleItem[]): readonly Part[] => {
    const byProcess = Map.groupBy(items, ({ process }) => process);
    const known = new Map(parts.map((part) => [part.process, part]));
    for (const [process, found] of byProcess) {
      const part = known.get(process) ?? { process, folder: null, items: [] };
      part.folder = found.at(-1)?.folder ?? part.folder;
      part.items = [...part.items, ...found];
      known.set(process, part);
    }
    return [...known.values()];
  };

  /** The last part goes on; of the others those stay that a run may still claim. */
  const keepBack = (all: readonly Part[]): readonly Part[] => {
    const last = all.at(-1);
    let room = MAX_KEPT_BACK;
    return all
      .filter((part) => part === last || (part.folder !== null && part.items.length > 0))
      .toReversed()
      .filter((part) => {
        room -= part.items.length;
        return part === last || room >= 0;
      })
      .toReversed();
  };

  return {
    look: async (signal) => {
      const { generation, writtenAt, size, items, hasMore } = await tailer.look(signal).catch((error: unknown) => {
        // It comes again, all of it.
        parts = [];
        throw error;
      });
      if (generation === null) return { outputs: [], hasMore };
      // Another log in its place: what nobody claimed of the old one is gone with it.
      if (generation !== current) parts = [];
      current = generation;
      if (items.length > 0) parts = divide(items);
      const last = parts.at(-1);
      const outputs = new Map<string, ObservedOutput>();
      for (const part of parts) {
        const run = part.folder === null ? null : runOf(part.folder, path);
        if (run === null || part.items.length === 0) continue;
        const before = outputs.get(run)?.events ?? [];
        const events = [...before, ...part.items.map(({ offset, event }) => ({ offset, event }))];
        // Only the last part is what the file's mtime speaks of.
        outputs.set(run, {
          path: run,
          source: path,
          generation,
          writtenAt: part === last ? writtenAt : null,
          size,
          events,
        });
        part.items = [];
      }
      parts = keepBack(parts);
      return { outputs: [...outputs.values()], hasMore };
    },
    startOver: () => {
      parts = [];
      tailer.startOver();
    },
  };
};
