import { glob } from 'node:fs/promises';
import type { Log } from '../../core/log.ts';
import type { Collector } from '../../core/ports.ts';
import { statOrNull } from '../file/stat.ts';
import { createSharedLog, type RunOf, type SharedLog, type SharedLook } from './shared.ts';

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
  let looksDone = 0;

  /** Files that are gone make room; where more match than are followed, the newest are. */
  const search = async (signal: AbortSignal): Promise<void> => {
    const found: { readonly path: string; readonly writtenAt: number }[] = [];
    for await (const path of glob([...globs])) {
      signal.throwIfAborted();
      const stat = await statOrNull(path);
      if (stat?.isFile()) found.push({ path, writtenAt: Number(stat.mtimeMs) });
    }
    if (found.length > MAX_FILES) {
      if (!failing.has(''))
        log.warn({ globs, found: found.length, followed: MAX_FILES }, 'too many console logs match');
      failing.add('');
      found.sort((a, b) => b.writtenAt - a.writtenAt).splice(MAX_FILES);
    }
    const paths = new Set(found.map(({ path }) => path));
    for (const path of logs.keys()) if (!paths.has(path)) logs.delete(path);
    for (const path of paths) if (!logs.has(path)) logs.set(path, createSharedLog({ path, runOf, now }));
  };

  const lookAt = async (path: string, shared: SharedLog, signal: AbortSignal): Promise<SharedLook> => {
    try {
      const look = await shared.look(signal);
      failing.delete(path);
      return look;
    } catch (err) {
      signal.throwIfAborted();
      if (!failing.has(path)) log.warn({ path, err }, 'a console log cannot be read');
      failing.add(path);
      return { outputs: [], hasMore: false };
    }
  };

  return {
    name: 'logs',
    when: { everyMs: EVERY_MS },
    timeoutMs: TIMEOUT_MS,
    collect: async (signal) => {
      if (looksDone % LOOKS_PER_SEARCH === 0) await search(signal);
      looksDone += 1;
      const looks: SharedLook[] = [];
      for (const [path, shared] of logs) looks.push(await lookAt(path, shared, signal));
      const outputs = looks.flatMap((look) => look.outputs);
      const hasMore = looks.some((look) => look.hasMore);
      return { ...(outputs.length > 0 && { outputs }), ...(hasMore && { hasMore }) };
    },
    startOver: () => {
      for (const shared of logs.values()) shared.startOver();
    },
  };
};
