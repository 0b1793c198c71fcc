import { execFile } from 'node:child_process';
import type { Clock } from '../../core/clock.ts';
import type { Log } from '../../core/log.ts';
import type { Collector } from '../../core/ports.ts';
import { chooseFields, createGpuRowParser, parseKnownFields } from './csv.ts';
import { describeGpus } from './describe-gpus.ts';
import { whyPidsAreForeign } from './host-pids.ts';
import { createNvidiaSmiCollector } from './nvidia-smi.ts';
import { findNvml } from './nvml/find.ts';
import { createXidEvents, type XidEvents } from './nvml/xid-events.ts';
import { createGpuProcessesCollector } from './processes.ts';
import { explainSmiFailure, saysNoGpu } from './smi-errors.ts';
import { createXmlCollector } from './xml.ts';

export type GpuSourceOptions = {
  readonly mode: 'auto' | 'nvml' | 'nvidia-smi' | 'off';
  /** Path of the program; null: the nvidia-smi on PATH. */
  readonly nvidiaSmi: string | null;
  /** Path of the driver's library; null: the one that the loader finds. */
  readonly nvml: string | null;
  readonly intervalMs: number;
  readonly clock: Clock;
  readonly log: Log;
  /** What is watched is simulated by processes beside us: the pids that it tells are ours wherever we are. */
  readonly isSimulated: boolean;
  /** Ends the search, and what it waits for. */
  readonly signal?: AbortSignal;
};

/** What watches the GPUs of this machine, and one sentence about it for the terminal. */
export type GpuSource = {
  readonly collectors: readonly Collector[];
  readonly says: string;
  /** Tells XIDs where the kernel log cannot be read; absent where NVML is not called. */
  readonly xidEvents?: XidEvents;
};

const GO_ON = 'runs and host are watched all the same';
/** A healthy driver answers in 25 ms, one without persistence mode in 2 to 30 s: nobody waits that long for a start. */
const PROBE_MS = 8000;
const XML_AT_MOST_EVERY_MS = 5000;
/** The process list holds the driver's lock for milliseconds: far more seldom than the samples. */
const PROCESSES_PERIOD_MS = 5000;
const SOURCES = { procfs: '/proc', passwd: '/etc/passwd' } as const;

/**
 * Looks once which way to the GPUs works: NVML, else the CSV of nvidia-smi, else its XML, else none. A way that is named
 * (`--gpu`, or the path of one program only) is the only one that is tried. That there is no GPU is a normal state, said
 * once. A driver that is there and fails is watched all the same: it may come back. Rejects with the signal's reason.
 */
export const findGpuCollectors = async (options: GpuSourceOptions): Promise<GpuSource> => {
  const { mode, log } = options;
  if (mode === 'off') return { collectors: [], says: `GPUs are not watched (--gpu off): ${GO_ON}` };
  const isProgramNamed = options.nvidiaSmi !== null && options.nvml === null;
  if (mode === 'nvidia-smi' || (mode === 'auto' && isProgramNamed)) return findNvidiaSmi(options);

  const found = await findNvml({
    library: options.nvml,
    intervalMs: options.intervalMs,
    sources: SOURCES,
    pidsAreForeign: pidsAreForeignOf(options),
    environment: process.env,
    clock: options.clock,
    log,
    withinMs: PROBE_MS,
    ...(options.signal ? { signal: options.signal } : {}),
  });
  switch (found.kind) {
    case 'watched':
      return { collectors: [found.collector], says: found.says, xidEvents: xidEventsBy(options) };
    case 'none':
      return { collectors: [], says: `no NVIDIA GPU found: ${GO_ON}` };
    case 'cannot':
      if (mode === 'nvml') return { collectors: [], says: `GPUs are not watched, --gpu nvml: ${found.why}; ${GO_ON}` };
      log.info({ why: found.why }, 'NVML cannot be used: nvidia-smi is asked instead');
      return findNvidiaSmi(options);
  }
};

const xidEventsBy = ({ nvml, clock, log }: GpuSourceOptions): XidEvents =>
  createXidEvents({ library: nvml, environment: process.env, clock, log });

const pidsAreForeignOf = ({ isSimulated }: GpuSourceOptions): string | null =>
  isSimulated ? null : whyPidsAreForeign(SOURCES.procfs);

/** The CSV of the program, else its XML, else nothing. */
const findNvidiaSmi = async (options: GpuSourceOptions): Promise<GpuSource> => {
  const { clock, log, signal } = options;
  const nvidiaSmi = options.nvidiaSmi ?? 'nvidia-smi';
  const help = await ask(nvidiaSmi, ['--help-query-gpu'], signal);
  if (help.missing) return { collectors: [], says: `no NVIDIA GPU found (${notThere(nvidiaSmi)}): ${GO_ON}` };

  const fields = chooseFields(parseKnownFields(help.output));
  const launcher = await findLauncher(nvidiaSmi, signal);
  if (fields.length > 0) {
    const query = await ask(nvidiaSmi, [`--query-gpu=${fields.join(',')}`, '--format=csv,noheader,nounits'], signal);
    const parseRow = createGpuRowParser(fields);
    const rows = query.output.split('\n').flatMap((line) => parseRow(line) ?? []);
    if (rows.length > 0)
      return {
        collectors: byCsv(launcher, fields, options),
        says: `${describeGpus(rows.map(({ gpu }) => gpu))}, read by nvidia-smi`,
      };
    if (saysNoGpu(query.output)) return { collectors: [], says: `no NVIDIA GPU found: ${GO_ON}` };
    if (query.timedOut) {
      const says = `nvidia-smi has not answered for ${PROBE_MS / 1000} s: the GPUs appear when it does`;
      return { collectors: byCsv(launcher, fields, options), says };
    }
    if (query.code !== 0 && query.code !== WRONG_USE) {
      const says = `no GPU can be read now: ${explainSmiFailure(query.code, query.output)}; it is tried again, ${GO_ON}`;
      return { collectors: byCsv(launcher, fields, options), says };
    }
  }

  log.warn({ path: nvidiaSmi }, 'nvidia-smi does not give CSV: falling back to its XML, which costs far more');
  const everyMs = Math.max(options.intervalMs, XML_AT_MOST_EVERY_MS);
  const xml = createXmlCollector({ everyMs, clock, sources: SOURCES, pidsAreForeign: pidsAreForeignOf(options) });
  const limits = [AbortSignal.timeout(PROBE_MS), ...(signal ? [signal] : [])];
  const first = await xml.collect(AbortSignal.any(limits)).catch((error: Error) => error);
  signal?.throwIfAborted();
  if (first instanceof Error) {
    return { collectors: [xml], says: `no GPU can be read now: ${first.message}; it is tried again, ${GO_ON}` };
  }
  const { gpus = [] } = first;
  if (gpus.length === 0) return { collectors: [], says: `no NVIDIA GPU found: ${GO_ON}` };
  return { collectors: [xml], says: `${describeGpus(gpus)}, read as XML every ${everyMs / 1000} s` };
};

const byCsv = (launcher: Launcher, fields: readonly string[], options: GpuSourceOptions): readonly Collector[] => {
  const { nvidiaSmi, intervalMs, clock, log } = options;
  const path = nvidiaSmi ?? 'nvidia-smi';
  const gpu = createNvidiaSmiCollector({ path, fields, intervalMs, clock, log });
  const pidsAreForeign = pidsAreForeignOf(options);
  const rest = { periodMs: PROCESSES_PERIOD_MS, sources: SOURCES, driverAnswers: gpu.answers, pidsAreForeign };
  return [gpu, createGpuProcessesCollector({ launcher, ...rest, clock, log })];
};

type Launcher = readonly [string, ...string[]];

/**
 * How to start a program that must not outlive us although it may never write into its pipe: through util-linux'
 * `setpriv`, the kernel kills it when its parent dies. It replaces itself by the program, so there is one process.
 * Where it is missing (Alpine) the program is started as it is.
 */
export const findLauncher = async (path: string, signal?: AbortSignal): Promise<Launcher> => {
  const words = ['--pdeathsig', 'KILL'];
  const { code } = await ask('setpriv', [...words, 'true'], signal);
  return code === 0 ? ['setpriv', ...words, path] : [path];
};

const notThere = (path: string): string =>
  /[/\\]/.test(path) ? `${path} is not there or cannot be run` : `${path} is not on PATH`;

/** The exit code of the program for a switch or a field that it does not know. */
const WRONG_USE = 2;

type Answer = {
  readonly missing: boolean;
  readonly timedOut: boolean;
  readonly code: number | null;
  readonly output: string;
};

/** Runs the program once. Error texts may stand on either stream, so both are read as one. Rejects when aborted. */
const ask = (path: string, args: readonly string[], signal: AbortSignal | undefined): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const limits = { timeout: PROBE_MS, killSignal: 'SIGKILL', maxBuffer: 4 * 2 ** 20, signal } as const;
    execFile(path, args, limits, (error, stdout, stderr) => {
      if (signal?.aborted) return reject(signal.reason);
      const code = error === null ? 0 : error.code;
      const missing = code === 'ENOENT' || code === 'EACCES' || code === 'ENOTDIR';
      resolve({
        missing,
        timedOut: error?.killed === true,
        code: typeof code === 'number' ? code : null,
        output: `${stdout}${stderr}`,
      });
    });
  });
