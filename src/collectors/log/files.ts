import { glob } from 'node:fs/promises';
import type { ObservedOutput } from '../../core/batch.ts';
import type { Log } from '../../core/log.ts';
import type { Collector } from '../../core/ports.ts';
import { createSharedLog, type RunOf, type SharedLog } from './shared.ts';

const EVERY_MS = 2000;
const TIMEOUT_MS = 30_000;
/** Looks between two searches for files: a search may walk a whole disk. */
const LOOKS_PER_SEARCH = 5;
const MAX_FILES = 1000;

type Options = {
  /** Absolute. */
  readonly globs: readonly string[];
  readonly runOf: RunOf;
  readonly now: () => number;
  readonly log: Log;
};

/** Follows the console logs outside of the run folders (`logs:` in the configuration). */
export const createLogFilesCollector = ({ globs, runOf, now, log }: Options): Collector => {
  const logs = new Map<string, SharedLog>();
  const failing = new Set<string>();
  let looks = 0;

  const search = async (signal: AbortSignal): Promise<void> => {
    for await (const path of glob([...globs])) {
      signal.throwIfAborted();
      if (!logs.has(path)) logs.set(path, createSharedLog({ path, runOf, now }));
      if (logs.size >= MAX_FILES) {
        if (!failing.has('')) log.warn({ globs, files: MAX_FILES }, 'more console logs match than are followed');
        failing.add('');
        return;
      }
    }
  };

  const lookAt = async (path: string, shared: SharedLog, signal: AbortSignal): Promise<readonly ObservedOutput[]> => {
    try {
      const outputs = await shared.look(signal);
      failing.delete(path);
      return outputs;
    } catch (err) {
      signal.throwIfAborted();
      if (!failing.has(path)) log.warn({ path, err }, 'a console log cannot be read');
      failing.add(path);
      return [];
    }
  };

  return {
    name: 'logs',
    when: { everyMs: EVERY_MS },
    timeoutMs: TIMEOUT_MS,
    collect: async (signal) => {
      if (looks % LOOKS_PER_SEARCH === 0) await search(signal);
      looks += 1;
      const outputs: ObservedOutput[] = [];
      for (const [path, shared] of logs) outputs.push(...(await lookAt(path, shared, signal)));
      return outputs.length > 0 ? { outputs } : {};
    },
    startOver: () => {
      for (const shared of logs.values()) shared.startOver();
    },
  };
};
