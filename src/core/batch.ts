import type { CollectorHealth } from './collector-health.ts';
import type { HostDetail } from './host-detail.ts';
import type { AttemptKind, NonFinite } from './run.ts';
import type { RunProcess } from './run-process.ts';
import type { Sample } from './sample.ts';
import type { RunEvent } from './trace.ts';

/** A row of a result file as parsed, before the store knows which attempt of the run it belongs to. */
export type ObservedRow = {
  /** How often the file itself started over before this row: 0 for its first attempt. */
  readonly fileAttempt: number;
  /** How that attempt began as far as the file says: `time` fell (`resume`), the epoch fell (`rerun`). */
  readonly fileAttemptKind: AttemptKind;
  readonly epoch: number;
  /** When the row was written: the file's mtime, or reckoned back from it by `time`; null when neither is known. */
  readonly at: number | null;
  readonly atSource: 'mtime' | 'time' | null;
  readonly elapsedS: number | null;
  readonly metrics: Readonly<Record<string, number | null>>;
  readonly nonFinite?: Readonly<Record<string, NonFinite>>;
};

/** The result file of a run folder as one look found it. */
export type ObservedResults = {
  /** Hash of the header and the first row: stays the same while one file grows or is rewritten by a resume. */
  readonly generation: string;
  readonly inode: number;
  /** The tailer saw that this is not a continuation of the file that was there before: a re-run. */
  readonly fresh: boolean;
  readonly mtimeAt: number;
  readonly size: number;
  /** Rows of this file that did not parse, so far. */
  readonly rowsKeptOut: number;
  /** How many epochs the training was to have by its last row (`0/299` in results.txt); null where rows say nothing. */
  readonly epochsPlanned: number | null;
};

/** What one look at a run folder found. May repeat what was said before: the store knows what is new. */
export type ObservedRun = {
  readonly path: string;
  /** Identity of the folder: device and inode, and its birth where the file system keeps one. */
  readonly folder: { readonly device: number; readonly inode: number; readonly bornAt: number | null };
  readonly args: Readonly<Record<string, unknown>> | null;
  readonly argsAt: number | null;
  readonly results: ObservedResults | null;
  /** Rows since the last look (all of them at the first), in file order. */
  readonly rows: readonly ObservedRow[];
  /** mtime of `results.png`, which Ultralytics writes last of all. */
  readonly resultsPngAt: number | null;
  /** The newest mtime of anything that the trainer writes in the folder. */
  readonly activityAt: number;
};

/** A GPU as the driver lists it. */
export type ObservedGpu = {
  readonly uuid: string;
  readonly index: number;
  readonly name: string | null;
  readonly driver: string | null;
  readonly memoryTotal: number | null;
  readonly powerLimit: number | null;
  /** As the kernel log names it, such as `0000:61:00`: domain, bus and device in small letters. */
  readonly pciBusId?: string | null;
  /** Set for a MIG instance, which is a GPU of its own: `index` is then that of the GPU that it is a part of. */
  readonly mig?: MigPlace | null;
};

/** Where a MIG instance is. */
export type MigPlace = {
  /** UUID of the whole GPU. */
  readonly parent: string;
  /** Its place among the instances of that GPU, as CUDA and `nvidia-smi -L` count them. */
  readonly index: number;
  readonly gpuInstance: number | null;
  readonly computeInstance: number | null;
  /** Such as `1g.10gb`. */
  readonly profile: string | null;
};

/** What is amiss with a GPU now, and why some of its metrics are null. */
export type ObservedGpuNotes = {
  readonly uuid: string;
  /** Such as "GPU is lost"; null: it answers. */
  readonly trouble: string | null;
  /** By metric: the driver's own word for why there is no number. */
  readonly absent: Readonly<Record<string, string>>;
};

/** The kernel reported an error of a GPU. */
export type ObservedXid = {
  readonly at: number;
  /** As in {@link ObservedGpu}; or the UUID, where the driver itself told it. */
  readonly gpu: string;
  readonly xid: number;
  readonly line: string;
};

/** A process that holds memory on a GPU, with what /proc tells about it (null where it may not be read). */
export type ObservedProcess = {
  readonly gpuUuid: string;
  readonly pid: number;
  readonly memory: number | null;
  /** Its share of the GPU's time, %; null or absent where the source does not know it. */
  readonly utilization?: number | null;
  readonly user: string | null;
  readonly command: string | null;
  readonly cwd: string | null;
  readonly startedAt: number | null;
  /** Folders of files that the process holds open. */
  readonly openFolders: readonly string[];
  /** Its parents, nearest first, as far as they can be seen: a worker belongs to whom its training belongs to. */
  readonly parents?: readonly number[];
  /** The few variables that tell where it works, such as CUDA_VISIBLE_DEVICES; null where they may not be read. */
  readonly environment?: Readonly<Record<string, string>> | null;
};

/**
 * What a look at one output of a run (a console log, the sidecar) took from it. It may repeat itself: what the store
 * already has of it, by offset, is dropped there.
 */
export type ObservedOutput = {
  /** The run folder that it belongs to. */
  readonly path: string;
  /** Which output of the run: its path, or a name such as `ingest`. */
  readonly source: string;
  /** Changes when the output began anew (another file, a truncated one); offsets then count from 0 again. */
  readonly generation: string;
  /** When it was last written, as far as is known. */
  readonly writtenAt: number | null;
  /** Bytes that it has now; absent where there is no file. Fewer than were taken say that it began anew. */
  readonly size?: number;
  /** In the order of the output. `offset`: the byte behind the line that the event came from, never falling. */
  readonly events: readonly { readonly offset: number; readonly event: RunEvent }[];
};

/** A process as the kernel knows it now. */
export type ObservedLife = {
  readonly pid: number;
  /** When the process of this pid began; null: there is none now, or it cannot be seen. */
  readonly startedAt: number | null;
  /** R, S, D, Z, T … as in /proc/PID/stat; null: there is no process of this pid. */
  readonly state: string | null;
};

/** The processes of a run: those that are known to do its work, and all below them. */
export type ObservedProcessTree = {
  readonly run: string;
  readonly processes: readonly RunProcess[];
  /** As in {@link ObservedProcess}, of its training. */
  readonly environment?: Readonly<Record<string, string>> | null;
};

/** A process that trains in a folder below none of the watched ones. */
export type ObservedUnwatched = {
  readonly pid: number;
  readonly startedAt: number | null;
  /** The folder to watch: where its runs lie, or will. */
  readonly folder: string;
};

/** A process that may be a training's, found outside of any GPU. */
export type ObservedCandidate = Omit<ObservedProcess, 'gpuUuid' | 'memory'>;

/** A process that `signalbox run` started. */
export type ObservedLaunch = {
  /** The run folder that it belongs to. */
  readonly path: string;
  readonly pid: number;
  /** As /proc says it. */
  readonly startedAt: number;
};

/** How a training ended that `signalbox run` started. */
export type ObservedExit = {
  /** The run folder that it belongs to. */
  readonly path: string;
  readonly pid: number;
  readonly exitCode: number | null;
  /** `SIGKILL` and so on; null for an end of its own. */
  readonly signal: string | null;
  readonly endedAt: number;
};

/** The kernel killed a process because memory ran out. */
export type ObservedKernelKill = {
  readonly at: number;
  readonly pid: number;
  readonly line: string;
};

/** Facts of this host, read once. */
export type ObservedHost = {
  readonly name: string;
  readonly os: string | null;
  readonly cpuModel: string | null;
  readonly cpuCores: number | null;
  readonly memoryTotal: number | null;
};

/** What one look at one source found. Every part is optional; all of it may repeat itself. */
export type Batch = {
  readonly runs?: readonly ObservedRun[];
  /** Paths of run folders that were there and have not been for a while. */
  readonly goneFolders?: readonly string[];
  readonly gpus?: readonly ObservedGpu[];
  readonly host?: ObservedHost;
  readonly samples?: readonly Sample[];
  /** All processes on all GPUs at this moment; null: they cannot be known now. */
  readonly processes?: readonly ObservedProcess[] | null;
  /** Why they cannot be known, for a person, with what to do; only beside `processes: null`. */
  readonly processesUnknown?: string;
  readonly gpuNotes?: readonly ObservedGpuNotes[];
  /** There, empty or not, whenever the kernel log was read: only then does none mean that there was none. */
  readonly xids?: readonly ObservedXid[];
  /** What the driver itself told, which leaves some out (79, 119 and 120 at least): none of them means nothing. */
  readonly driverXids?: readonly ObservedXid[];
  readonly hostDetail?: HostDetail;
  /** Of every run whose processes are known now: all of them. */
  readonly processTrees?: readonly ObservedProcessTree[];
  /** Of the GPU processes that belong to no run, those that train where nobody watches. */
  readonly unwatched?: readonly ObservedUnwatched[];
  /** How the collectors do now. */
  readonly collectors?: readonly CollectorHealth[];
  readonly outputs?: readonly ObservedOutput[];
  /** The processes that were asked for. */
  readonly lives?: readonly ObservedLife[];
  readonly candidates?: readonly ObservedCandidate[];
  readonly launches?: readonly ObservedLaunch[];
  readonly exits?: readonly ObservedExit[];
  readonly kernelKills?: readonly ObservedKernelKill[];
  /** There is more to be had at once: the next look need not wait. */
  readonly hasMore?: true;
};

/** The parts of a batch that tell of processes. */
export const PROCESS_NEWS = [
  'processes',
  'processesUnknown',
  'processTrees',
  'unwatched',
  'lives',
  'candidates',
  'launches',
  'exits',
  'kernelKills',
] as const;
/** See {@link PROCESS_NEWS}. */
export type ProcessNews = Pick<Batch, (typeof PROCESS_NEWS)[number]>;
