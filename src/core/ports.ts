import type { Alert, AlertState, Severity } from './alert.ts';
import type { Batch, ObservedGpu, ObservedGpuNotes, ObservedHost, ObservedOutput, ObservedRun } from './batch.ts';
import type { CollectorHealth } from './collector-health.ts';
import type { FurtherAggregate } from './history.ts';
import type { HostDetail } from './host-detail.ts';
import type { ClassMetrics, LogLine, PhaseChange, Step } from './output.ts';
import type { KnownOutput } from './output-facts.ts';
import type { Range } from './range.ts';
import type { Attempt, EpochRow, Run, RunState } from './run.ts';
import type { RunGpu, UsedGpu } from './run-gpu.ts';
import type { RunProcess } from './run-process.ts';
import type { KnownProcess } from './run-processes.ts';
import type { RunGrouping } from './run-windows.ts';
import type { Gpu, GpuProcess, GpuSample, Host, HostSample, Sample } from './sample.ts';
import type { Page } from './schema.ts';
import type { RunEvent } from './trace.ts';
import type { WindowStatistics } from './window-statistics.ts';

/** Folders with all that is below them. */
export type Trees = {
  readonly roots: readonly string[];
  /** The names of the files that hints are wanted of. */
  readonly files: readonly string[];
  /** Whether hints from a folder and below are not worth their price. Asked when the watch comes to the folder. */
  readonly leavesOut: (path: string) => boolean;
};

/**
 * When the runner lets a collector look. `everyMs` is always there: hints get lost, on NFS there are none.
 * - `folder`: also at once after a file in this one folder changed (fs.watch, with a trailing second look)
 * - `trees`: also soon after one of the files named in `files` appeared below one of these (chokidar), from the first
 *   look on
 * - `woken`: also whenever the source itself has something; called once, with the function to call then
 */
export type When = {
  readonly everyMs: number;
  /** The longest pause between two tries while it fails, ms; a minute where it does not say. */
  readonly retryWithinMs?: number;
  readonly folder?: string;
  readonly trees?: Trees;
  readonly woken?: (wake: () => void) => void;
};

/** Looks at one source once and says what it found. Timing, time-outs, overlap, back-off and health are the runner's. */
export type Collector = {
  /** Unique: `host`, `gpu`, `run /path/of/folder`. */
  readonly name: string;
  readonly when: When;
  /** Longest that one look may take; the runner then aborts the signal and counts a failure. */
  readonly timeoutMs: number;
  /** `hints`: the paths that changed, where hints alone are the reason to look; else it looks at everything. */
  readonly collect: (signal: AbortSignal, hints?: readonly string[]) => Promise<Batch>;
  /** The last batch could not be kept: the next look says everything again. */
  readonly startOver?: () => void;
  /** Ends what the collector holds: child processes, open files. */
  readonly close?: () => Promise<void> | void;
};

/** Topics whose events are stored before they are sent, in cursor order. */
export const DURABLE_TOPICS = ['runs', 'epochs', 'alerts'] as const;
/** Topics of which a slow client gets the newest value only. */
export const SAMPLED_TOPICS = ['batches', 'gpu', 'host', 'logs'] as const;
export type DurableTopic = (typeof DURABLE_TOPICS)[number];
export type Topic = DurableTopic | (typeof SAMPLED_TOPICS)[number];

/** One thing that happened, as the stream sends it. */
export type StreamEvent = {
  readonly topic: Topic;
  /** Opaque; for a sampled topic that of the newest durable event. */
  readonly cursor: string;
  readonly at: number;
  /** What the filters of a subscription look at. */
  readonly run: string | null;
  readonly gpu: number | null;
  /** The REST item; an epoch row with `run` added. */
  readonly data:
    | Run
    | (EpochRow & { run: string })
    | (Step & { run: string })
    | (LogLine & { run: string })
    | Alert
    | GpuSample
    | HostSample;
};

/**
 * What a store is asked for the history of one subject: the samples with `from` <= at < `to`. `edges` rise: each is
 * where a bucket begins, the last where the last one ends; the first is at or before `from`, the last at or after `to`.
 */
export type HistoryQuery = {
  readonly metrics: readonly string[];
  readonly from: number;
  readonly to: number;
  readonly edges: readonly number[];
  /** Beside avg, min, max and count. */
  readonly further: readonly FurtherAggregate[];
};

/** Columns of one metric; all as long as `t`, null where a bucket holds no value. */
export type SeriesColumns = {
  readonly avg: readonly (number | null)[];
  readonly min: readonly (number | null)[];
  readonly max: readonly (number | null)[];
  readonly count: readonly number[];
  /** Set when percentiles come from bins, because the samples are gone. */
  readonly approximate?: true;
} & { readonly [K in FurtherAggregate]?: readonly (number | null)[] };

/** A history: one column of bucket starts and the aggregates of each metric beside it. */
export type Series = {
  readonly t: readonly number[];
  readonly metrics: Readonly<Record<string, SeriesColumns>>;
  /** Why an aggregate (`power.p95`) is null although samples were taken; not there when there is no such. */
  readonly absent?: Readonly<Record<string, string>>;
};

export type { Range };

/** What the samples of one GPU in some stretches of time come to. See `core/window-statistics.ts`. */
export type WindowQuery = {
  readonly metrics: readonly string[];
  /** Each window is one or more stretches that rise and do not overlap. */
  readonly windows: readonly (readonly Range[])[];
  /** Utilization, %, under which the seconds are counted. */
  readonly below: number;
};

export type PageQuery = { readonly limit: number; readonly cursor?: string | undefined };

/** How the database does. */
export type StoreHealth = {
  readonly path: string;
  /** Of the file. */
  readonly bytes: number;
  /** False after a write failed, until one succeeds again. */
  readonly writable: boolean;
  /** What a person should know of its space; null: nothing. */
  readonly warning: string | null;
  /** Since the start: samples that could not be written for too long. */
  readonly samplesLost: number;
};

/** Reads of the store, as the server and the reports need them. All see the memory tail; all but those of the history are synchronous. */
export type StoreReader = {
  /** The cursor of the newest durable event. */
  readonly cursor: () => string;
  /** Newest first by start. Throws {@link BadCursor} on a page cursor that it did not make. */
  readonly listRuns: (
    query: PageQuery & { states?: readonly RunState[] | undefined; text?: string | undefined },
  ) => Page<Run>;
  readonly getRun: (id: string) => Run | undefined;
  readonly countRuns: () => Readonly<Record<RunState, number>>;
  /** By attempt and epoch. `from` and `to` are epochs, both inclusive. */
  readonly listEpochs: (
    run: string,
    query: PageQuery & { from?: number | undefined; to?: number | undefined; attempt?: number | undefined },
  ) => Page<EpochRow>;
  readonly listAttempts: (run: string) => readonly Attempt[];
  /** Newest last; `from` and `to` are moments, `to` exclusive. With `newest` the last `limit` of them. */
  readonly listSteps: (
    run: string,
    query: PageQuery & { from?: number | undefined; to?: number | undefined; newest?: true },
  ) => Page<Step>;
  /**
   * The steps of which the moment is known, in buckets: `stepS`, `dataS`, `reservedMib` and `loss.NAME`. Read by a
   * worker as {@link StoreReader.history} is, and rejects as that does.
   */
  readonly stepHistory: (run: string, query: StepHistoryQuery, limits?: ReadLimits) => Promise<Series>;
  /** By attempt and epoch, the final ones last. */
  readonly listClasses: (run: string, query: PageQuery) => Page<ClassMetrics>;
  /** When phases began, oldest first. */
  readonly listPhases: (run: string, query: { from: number; to: number }) => readonly PhaseChange[];
  /** The last lines of the run's console, oldest first. */
  readonly logTail: (run: string, lines: number) => readonly LogLine[];
  readonly listGpus: () => readonly Gpu[];
  /** The GPUs that a run has used, by their stable subjects: `gpu:UUID`, `import:RUN:0`. */
  readonly listRunGpus: (run: string) => readonly UsedGpu[];
  /** What was kept of a run's use of its GPUs when it ended, `gpu` being the stable subject; null: nothing. */
  readonly runStatistics: (run: string, by: RunGrouping) => readonly RunGpu[] | null;
  readonly listHosts: () => readonly Host[];
  /** The processes that a run has now; null: not known. */
  readonly listRunProcesses: (run: string) => readonly RunProcess[] | null;
  /**
   * `subject` is the stable one: `gpu:UUID`, `host:NAME`, `run:ID`, `collector:NAME` or `import:RUN:0`. What would hold
   * up the loop is read by a worker: rejects with {@link Busy} when too much waits for it already, and with the
   * signal's reason when it is aborted. Rejects with a RangeError on a metric that the subject has not.
   */
  readonly history: (subject: string, query: HistoryQuery, limits?: ReadLimits) => Promise<Series>;
  /** How finely the history of this stretch is kept at its coarsest: 0 all samples, else 60,000 or 3,600,000 ms. */
  readonly finestStep: (subject: string, range: Range) => number;
  /** What the samples of a subject come to in each window. */
  readonly windowStatistics: (
    subject: string,
    query: WindowQuery,
    limits?: ReadLimits,
  ) => Promise<readonly WindowStatistics[]>;
  readonly listAlerts: (
    query: PageQuery & {
      states?: readonly AlertState[] | undefined;
      rule?: string | undefined;
      run?: string | undefined;
      severity?: Severity | undefined;
      from?: number | undefined;
      to?: number | undefined;
    },
  ) => Page<Alert>;
  readonly getAlert: (id: string) => Alert | undefined;
  /**
   * Durable events after a cursor, oldest first, at most `limit` events that match.
   * `scannedTo` is the cursor to go on from (matching or not). null: the cursor is unknown or too old.
   */
  readonly eventsAfter: (
    cursor: string,
    query: { topics: readonly DurableTopic[]; run?: string | undefined; limit: number },
  ) => { readonly events: readonly StreamEvent[]; readonly scannedTo: string } | null;
  /** Where a stands to b in the order of events; NaN when either is not a cursor of this store. */
  readonly compareCursors: (a: string, b: string) => number;
  /** Size and state, for `/readyz`. */
  readonly health: () => StoreHealth;
  /** Samples of one subject from `from` on, oldest first, for rules that catch up. */
  readonly samplesSince: (subject: string, from: number) => readonly Sample[];
};

/** What was new in one look at a run folder. */
export type RunNews = {
  readonly id: string;
  /** First sight of this run. */
  readonly isNew: boolean;
  /** Rows that were not there before, or whose values changed; in file order. */
  readonly rows: readonly EpochRow[];
};

/** What was new in one look at an output. */
export type OutputNews = {
  /** Events that were not there before, in order. */
  readonly events: readonly RunEvent[];
  /** As the stream sends them: what of the events is a step or a line. */
  readonly steps: readonly Step[];
  readonly lines: readonly LogLine[];
  readonly known: KnownOutput;
};

/** A reducer's state with its life cycles, as the engine saves it and wants it back after a restart. Plain JSON. */
export type RuleState = {
  readonly rule: string;
  readonly subject: string;
  /** The moment of the newest input that is in the state. */
  readonly seenAt: number;
  readonly state: unknown;
};

/** Who uses a GPU now; kept in memory only, since it is true only now. */
export type GpuUse = {
  readonly run: string | null;
  readonly processes: readonly GpuProcess[] | null;
  readonly processesUnknown: string | null;
};

/**
 * The store with its writing half. Only the pipeline writes. All calls are synchronous; `transaction` may be nested,
 * the outermost one counts. Every append is idempotent.
 */
export type Store = StoreReader & {
  readonly transaction: <T>(work: () => T) => T;
  /** Finds or makes the run of a folder (a moved folder is the same run, a new inode a new one) and appends its rows. */
  readonly observeRun: (observed: ObservedRun, host: string, now: number) => RunNews;
  /** Takes what an output of a run says; what it said before is passed over. */
  readonly observeOutput: (run: string, output: ObservedOutput, now: number) => OutputNews;
  readonly outputsOf: (run: string) => readonly KnownOutput[];
  /** The run that came last to this path; null: none ever did. */
  readonly runAt: (path: string, host: string) => string | null;
  readonly saveProcesses: (run: string, known: readonly KnownProcess[]) => void;
  readonly processesOf: (run: string) => readonly KnownProcess[];
  /** Notes that an old run is still to be judged. */
  readonly putOffJudging: (run: string) => void;
  readonly isPutOff: (run: string) => boolean;
  /** A run that is still to be judged; null: there is none. */
  readonly nextPutOff: () => string | null;
  /** It has been judged, or is judged otherwise; false: it was not put off. */
  readonly endPutOff: (run: string) => boolean;
  /** All rows of a run by attempt and epoch. */
  readonly rowsOf: (run: string) => readonly EpochRow[];
  /** Saves what was derived of a run; tags and notes stay. True when anything changed. */
  readonly saveRun: (run: Run) => boolean;
  /** Adds to the GPUs that a run has used; what was kept of their use is reckoned anew. The time of a log grows. */
  readonly addRunGpus: (run: string, gpus: readonly UsedGpu[]) => void;
  /** Keeps what the use of its GPUs came to. */
  readonly saveRunStatistics: (run: string, by: RunGrouping, items: readonly RunGpu[], now: number) => void;
  /** A run that has ended, whose use of its GPUs is not kept yet; null: there is none. */
  readonly nextWithoutStatistics: () => string | null;
  /** Remembers how the files of a run that has ended looked, until the run is saved as active again. */
  readonly settle: (run: string, files: string) => void;
  /** What {@link Store.settle} remembers of all runs, by `DEVICE:INODE` of the folder. */
  readonly settledFiles: () => ReadonlyMap<string, { readonly path: string; readonly files: string }>;
  readonly saveGpus: (gpus: readonly ObservedGpu[], now: number) => void;
  readonly setGpuUse: (uuid: string, use: GpuUse) => void;
  /** Keeps in memory what is amiss with a GPU now. */
  readonly setGpuNotes: (notes: ObservedGpuNotes) => void;
  readonly saveHost: (host: ObservedHost, now: number) => void;
  /** Keeps in memory what a host does now. */
  readonly setHostDetail: (detail: HostDetail) => void;
  /** Keeps in memory the processes that runs have now; a run that is missing has none that are known. */
  readonly setRunProcesses: (processes: ReadonlyMap<string, readonly RunProcess[]>) => void;
  /** Takes samples into the memory tail (written with a later transaction); returns those that were new. */
  readonly appendSamples: (samples: readonly Sample[]) => readonly Sample[];
  /** Writes the memory tail. */
  readonly flushSamples: () => void;
  readonly saveAlerts: (alerts: readonly Alert[]) => void;
  /** Alerts that are pending or firing. */
  readonly openAlerts: () => readonly Alert[];
  /** Stores durable events and gives them their cursors, in order. */
  readonly addEvents: (
    events: readonly { topic: DurableTopic; run: string | null; at: number; data: StreamEvent['data'] }[],
  ) => readonly StreamEvent[];
  readonly saveRuleStates: (states: readonly RuleState[]) => void;
  readonly ruleStates: () => readonly RuleState[];
  /** Forgets the rule states of a subject. */
  readonly dropRuleStates: (subject: string) => void;
  /**
   * One small step of the housekeeping, far below a tick of the loop: seals hours that are over, deletes what is older
   * than its retention or too much, gives space back, and moves the log into the database file. True when there is more
   * to do soon; else it may wait a minute.
   */
  readonly maintain: (now: number) => boolean;
  /** Resolves once what {@link Store.maintain} has begun in the background is done or given up. */
  readonly settled: () => Promise<void>;
  readonly close: () => void;
};

/** What a store is asked for the steps of a run in buckets that begin at multiples of `stepMs`. */
export type StepHistoryQuery = Range & { readonly stepMs: number };

/** Ends a read whose answer nobody waits for any more. */
export type ReadLimits = { readonly signal?: AbortSignal };

/** Too many long reads wait already; the same one may be asked again after `retryAfterS` seconds. */
export class Busy extends Error {
  override name = 'Busy';
  readonly retryAfterS = 2;
}

/** A page cursor that the store did not make, or that belongs to another list. */
export class BadCursor extends Error {
  override name = 'BadCursor';
}

export type { Batch, CollectorHealth };
