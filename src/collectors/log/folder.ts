import { join } from 'node:path';
import type { ObservedOutput } from '../../core/batch.ts';
import type { Log } from '../../core/log.ts';
import { createConsoleParser } from '../console/parser.ts';
import { createSidecarParser, SIDECAR_FILE, type SidecarParser } from '../run/sidecar.ts';
import { logCandidates } from './names.ts';
import { createLogSniffer } from './sniffer.ts';
import { createLogTailer, type LocatedEvent, type LogTailer } from './tailer.ts';

/** The console logs and the sidecar of one run folder. */
export type FolderOutputs = {
  /**
   * `names`: what is in the folder now. A file that cannot be read costs the others nothing: it is said once and
   * tried again. Throws the signal's reason.
   */
  readonly look: (
    signal: AbortSignal,
    names: readonly string[],
  ) => Promise<{ readonly outputs: readonly ObservedOutput[]; readonly hasMore: boolean }>;
  /** What the last look said got lost: the next one says everything again. */
  readonly startOver: () => void;
};

type Output = {
  readonly path: string;
  readonly isOurs: () => Promise<boolean>;
  readonly tailer: LogTailer<LocatedEvent>;
};

/** Follows the outputs in the run folder `folder`, which is an absolute path. */
export const createFolderOutputs = (
  folder: string,
  { now, log }: { readonly now: () => number; readonly log: Log },
): FolderOutputs => {
  const outputs = new Map<string, Output>();
  const failing = new Set<string>();
  let hasMore = false;

  const outputOf = (name: string): Output => {
    const known = outputs.get(name);
    if (known !== undefined) return known;
    const path = join(folder, name);
    const output = name === SIDECAR_FILE ? sidecarAt(path, now, log) : consoleAt(path, now);
    outputs.set(name, output);
    return output;
  };

  const lookAt = async ({ path, isOurs, tailer }: Output, signal: AbortSignal): Promise<ObservedOutput | null> => {
    try {
      if (!(await isOurs())) return null;
      const { generation, writtenAt, size, items, hasMore: isPart } = await tailer.look(signal);
      hasMore ||= isPart && items.length > 0;
      failing.delete(path);
      if (generation === null || items.length === 0) return null;
      const events = items.map(({ offset, event }) => ({ offset, event }));
      return { path: folder, source: path, generation, writtenAt, size, events };
    } catch (err) {
      signal.throwIfAborted();
      if (!failing.has(path)) log.warn({ path, err }, 'an output of a run cannot be read');
      failing.add(path);
      return null;
    }
  };

  return {
    look: async (signal, names) => {
      const found: ObservedOutput[] = [];
      hasMore = false;
      const sidecar = names.includes(SIDECAR_FILE) ? [SIDECAR_FILE] : [];
      for (const name of [...sidecar, ...logCandidates(names)]) {
        const output = await lookAt(outputOf(name), signal);
        if (output !== null) found.push(output);
      }
      return { outputs: found, hasMore };
    },
    startOver: () => {
      for (const { tailer } of outputs.values()) tailer.startOver();
    },
  };
};

const consoleAt = (path: string, now: () => number): Output => ({
  path,
  isOurs: createLogSniffer(path).isLog,
  tailer: createLogTailer({ path, createParser: createConsoleParser, now }),
});

const sidecarAt = (path: string, now: () => number, log: Log): Output => {
  let parser: SidecarParser = createSidecarParser();
  let said = false;
  const tailer = createLogTailer({
    path,
    createParser: () => {
      parser = createSidecarParser();
      return parser;
    },
    now,
  });
  return {
    path,
    isOurs: async () => true,
    tailer: {
      look: async (signal) => {
        const found = await tailer.look(signal);
        const { lines, problem } = parser.broken();
        if (lines > 0 && !said) log.warn({ path, lines, problem }, 'lines of a sidecar cannot be read');
        said ||= lines > 0;
        return found;
      },
      startOver: tailer.startOver,
    },
  };
};
