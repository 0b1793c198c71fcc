import { execFile } from 'node:child_process';
import nvidiaSmi from 'node-nvidia-smi';
import type { Batch, ObservedProcess } from '../../core/batch.ts';
import type { Clock } from '../../core/clock.ts';
import type { Collector } from '../../core/ports.ts';
import { type ProcessSources, readProcess } from '../process/facts.ts';
import { gapSamples } from './gap.ts';
import { notesOn } from './gpu-notes.ts';
import { type ListedMig, parseMigList } from './mig-list.ts';
import { explainSmiFailure, explainSmiRemark } from './smi-errors.ts';
import { parseSmiLog, type XmlGpu } from './xml-parser.ts';

/**
 * GPUs by node-nvidia-smi, the last resort: a look starts `nvidia-smi -q -x`, blocks the driver 40 ms a GPU, and any
 * word on stderr, such as that one GPU is lost, loses all GPUs of that look. The package runs the nvidia-smi that is on
 * PATH, has no time-out and gives no handle on its child: a look that hangs is never doubled, the next ones wait for it.
 * The first look that fails after a good one gives the gap that it leaves, the next one throws why.
 */
export const createXmlCollector = (options: {
  readonly everyMs: number;
  readonly clock: Clock;
  readonly sources: ProcessSources;
  /** Why pids of the driver mean nothing here: see `whyPidsAreForeign`; null: they do. */
  readonly pidsAreForeign: string | null;
}): Collector => {
  const { sources, pidsAreForeign } = options;
  const processesOf = ({ gpu, processes }: XmlGpu): readonly ObservedProcess[] =>
    processes.map(({ pid, memory, name }) => {
      const facts = readProcess(pid, sources);
      return { gpuUuid: gpu.uuid, pid, memory, ...facts, command: facts.command ?? name };
    });
  const look = createSingleLook();
  const nameInstances = createMigNames();
  let seen: readonly XmlGpu[] = [];
  let owed: { readonly error: unknown } | null = null;

  const gapOf = (gone: readonly XmlGpu[], error: unknown): Batch => {
    const why = error instanceof Error ? error.message : String(error);
    return {
      samples: gone.flatMap(({ gpu, values }) => gapSamples([gpu.uuid], Object.keys(values), options.clock.now())),
      gpuNotes: gone.map(({ gpu, values }) => ({
        uuid: gpu.uuid,
        trouble: why,
        absent: Object.fromEntries(Object.keys(values).map((metric) => [metric, why])),
      })),
      processes: null,
      processesUnknown: pidsAreForeign ?? why,
      hasMore: true,
    };
  };

  return {
    name: 'gpu',
    when: { everyMs: options.everyMs, retryWithinMs: options.everyMs },
    timeoutMs: 20_000,
    collect: async (signal) => {
      if (owed !== null) {
        const { error } = owed;
        owed = null;
        throw error;
      }
      const gone = seen;
      seen = [];
      let found: readonly XmlGpu[];
      try {
        found = await nameInstances(await look(signal), signal);
      } catch (error) {
        if (gone.length === 0) throw error;
        owed = { error };
        return gapOf(gone, error);
      }
      seen = found;
      const at = options.clock.now();
      return {
        gpus: found.map(({ gpu }) => gpu),
        samples: found.map(({ gpu, values }) => ({ subject: `gpu:${gpu.uuid}`, at, values })),
        gpuNotes: found.map(({ gpu, reasons }) => notesOn(gpu.uuid, reasons)),
        ...(pidsAreForeign === null
          ? { processes: found.flatMap(processesOf) }
          : { processes: null, processesUnknown: pidsAreForeign }),
      };
    },
  };
};

/** One look, as xml2js makes it. Rejects when the signal aborts, with what the package reports, or while one still hangs. */
const createSingleLook = () => {
  let running = false;
  return async (signal: AbortSignal): Promise<unknown> => {
    if (running) throw new Error('nvidia-smi -q -x: the look before this one has not ended yet');
    running = true;
    return new Promise<unknown>((resolve, reject) => {
      signal.addEventListener('abort', () => reject(new Error('nvidia-smi -q -x did not end in time')), { once: true });
      nvidiaSmi((error, data) => {
        running = false;
        if (error) reject(readable(error));
        else resolve(data);
      });
    });
  };
};

/** Long enough for a driver that has just answered. */
const LIST_WITHIN_MS = 8000;

/**
 * The GPUs of a log, MIG instances under the names that NVML gives them too. The log has none, so `nvidia-smi -L` is
 * asked once for every set of instances, and again at the next look while it does not answer.
 */
const createMigNames = () => {
  let named = '';
  let listed: readonly ListedMig[] = [];
  return async (log: unknown, signal: AbortSignal): Promise<readonly XmlGpu[]> => {
    const found = parseSmiLog(log, listed);
    const instances = JSON.stringify(found.flatMap(({ gpu }) => (gpu.mig ? [{ ...gpu.mig, profile: null }] : [])));
    if (instances === named || instances === '[]') return found;
    const list = await listGpus(signal);
    if (list === null) return found;
    named = instances;
    listed = parseMigList(list);
    return parseSmiLog(log, listed);
  };
};

/** What `nvidia-smi -L` prints; null when it fails. */
const listGpus = (signal: AbortSignal): Promise<string | null> =>
  new Promise((resolve) => {
    const limits = { timeout: LIST_WITHIN_MS, killSignal: 'SIGKILL', signal } as const;
    execFile('nvidia-smi', ['-L'], limits, (error, stdout) => resolve(error === null ? stdout : null));
  });

/** The package hands on a text from stderr, or the error of exec, whose code is the program's exit code. */
const readable = (error: unknown): Error => {
  if (!(error instanceof Error)) return new Error(explainSmiRemark(String(error)));
  return 'code' in error && typeof error.code === 'number' ? new Error(explainSmiFailure(error.code, '')) : error;
};
