import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { findGpuCollectors } from './collectors/gpu/source.ts';
import { createHostCollector } from './collectors/host/proc.ts';
import { createLaunchCollector } from './collectors/launch/collector.ts';
import { createLogFilesCollector } from './collectors/log/files.ts';
import { createKernelLogCollector } from './collectors/process/kernel-log.ts';
import { createProcessSearch } from './collectors/process/search.ts';
import { createProcessTrees } from './collectors/process/trees.ts';
import { createUnwatchedTrainings } from './collectors/process/unwatched.ts';
import { createProcessWatch } from './collectors/process/watch.ts';
import { createRunFinder } from './collectors/run/finder.ts';
import { createHealthCollector } from './collectors/runner/health.ts';
import { createRunner } from './collectors/runner/runner.ts';
import type { Batch } from './core/batch.ts';
import { createBus } from './core/bus.ts';
import type { Clock } from './core/clock.ts';
import type { RunState } from './core/run.ts';
import type { RunEvent } from './core/trace.ts';
import { writeServiceFile } from './import/service-file.ts';
import { createTakeGpuLog } from './import/take-gpu-log.ts';
import { ingestedBatch, ingestedPath } from './ingested-run.ts';
import { createMaintenance } from './maintenance.ts';
import type { Settings } from './options.ts';
import { createPipeline } from './pipeline.ts';
import { createEngine } from './rules/engine.ts';
import { RULES } from './rules/registry.ts';
import { createRunPlaces } from './run-places.ts';
import { createRunStatistics } from './run-statistics.ts';
import { createRunTracker } from './run-tracker.ts';
import { createRunWatching } from './run-watching.ts';
import { createServer } from './server/server.ts';
import { openStore } from './store/open.ts';
import { createTraceRecorder } from './trace-recorder.ts';
import { createAttempt, endInOrder, every, workOff } from './turns.ts';

/** What is watched and with which eyes: the real thing, or a demo's simulators on a fast clock. */
export type Surroundings = {
  readonly settings: Settings;
  readonly clock: Clock;
  /** Set when what is watched is simulated: every page says so. */
  readonly simulated: { readonly speed: number } | null;
  readonly procfs: string;
  /** null beside a simulated /proc. */
  readonly sysfs: string | null;
  /** Ends the simulators. */
  readonly stop: (() => Promise<void>) | null;
};

/** A running service. */
export type App = {
  readonly url: string;
  /** What the first look found; resolves after a few seconds at the latest. */
  readonly firstLook: () => Promise<FirstLook>;
  /** Ends in the order of flow: collectors, pipeline, server, store. Idempotent. */
  readonly close: () => Promise<void>;
};

/** For the words at the start. */
export type FirstLook = {
  readonly url: string;
  readonly version: string;
  readonly settings: Settings;
  /** How many there are, by their state. */
  readonly runs: Readonly<Record<RunState, number>>;
  readonly gpus: string;
  readonly simulated: { readonly speed: number } | null;
};

const PROC = '/proc';
const PASSWD = '/etc/passwd';
const LAUNCHES = 'launches';
/** More than are sent in a millisecond. */
const MOST_LINES_A_MS = 1000;
const JUDGE_EVERY_MS = 1000;
/** Judging old runs takes at most this share of a core, whatever the machine's speed. */
const OLD_RUNS_SHARE = 0.25;
const STATISTICS_EVERY_MS = 10_000;
const FIRST_LOOK_WITHIN_MS = 3000;

/** Wires the parts in the order of flow and starts them. Throws what cannot be opened or listened on. */
export const startApp = async (
  around: Surroundings,
  common: {
    readonly root: string;
    readonly version: string;
    readonly hostName: string;
    readonly log: Logger;
    /** Aborted when the start is not wanted any more. */
    readonly signal: AbortSignal;
  },
): Promise<App> => {
  const { settings, clock } = around;
  const { root, hostName, log } = common;
  const startedAt = clock.now();
  const attempt = createAttempt(log);
  const ends: (() => Promise<void> | void)[] = [];

  const { db: path, retention } = settings;
  const store = openStore({ path, migrations: join(root, 'migrations'), retention, log });
  ends.push(() => store.close());
  const bus = createBus((err) => log.error({ err }, 'a listener failed and was dropped'));
  const recorder = settings.record === null ? null : createTraceRecorder({ path: settings.record, log });
  if (recorder !== null) {
    bus.subscribe(recorder.take);
    ends.push(() => recorder.close());
  }
  const engine = createEngine({
    rules: RULES,
    newId: () => `a_${randomBytes(9).toString('base64url')}`,
    onError: (rule, subject, err) => log.error({ rule, subject, err }, 'a rule failed and starts anew'),
  });
  const tracker = createRunTracker({ store, host: hostName, startedAt });
  const pipeline = createPipeline({
    store,
    engine,
    tracker,
    bus,
    clock,
    host: hostName,
    samplePeriodMs: Math.max(settings.gpuInterval, settings.hostInterval),
    onRun: (run, before) => watching.follow(run, before),
    onHeard: (...heard) => recorder?.hear(...heard),
    onRest: (run) => watching.leave(run),
  });
  pipeline.reload();
  ends.push(() => pipeline.flush());

  const take = (batch: Batch): void => {
    try {
      pipeline.ingest(batch);
    } catch (error) {
      // A step of the batch is not in the store: go back to what is. The runner lets the collector start over, so
      // that what was lost comes again.
      attempt('what is stored cannot be read', pipeline.reload);
      throw error;
    }
  };
  const runner = createRunner({
    clock,
    log,
    polling: settings.polling,
    ingest: (batch) => take(batch),
  });
  ends.push(() => runner.close());

  const watching = createRunWatching({ runner, tracker, store, clock, log, filesOf: (path) => finder.filesOf(path) });
  const finder = createRunFinder({
    roots: settings.watch,
    onFolder: watching.watch,
    isWatched: watching.isWatched,
    settled: store.settledFiles(),
    log,
  });
  let ingestedUntil = 0;
  /** Takes what a training that shares no disk with us sent of itself. */
  const ingest = ({ run: name, events }: { run: string; events: readonly RunEvent[] }): { id: string } => {
    const path = ingestedPath(name);
    const known = store.runAt(path, hostName);
    // Each line comes once: its place among all that was ever sent grows, also when the clock is set back.
    const from = Math.max(ingestedUntil, clock.now() * MOST_LINES_A_MS);
    ingestedUntil = from + events.length;
    const run = known === null ? null : (store.getRun(known) ?? null);
    take(ingestedBatch(name, events, { known: run, from, now: clock.now() }));
    return { id: known ?? store.runAt(path, hostName) ?? '' };
  };

  const gpus = await findGpuCollectors({
    mode: settings.gpu,
    nvml: settings.nvml,
    nvidiaSmi: settings.nvidiaSmi,
    intervalMs: settings.gpuInterval,
    clock,
    log,
    isSimulated: around.simulated !== null,
    signal: common.signal,
  });
  log.info({ says: gpus.says }, 'gpus');

  const server = await createServer({
    store,
    bus,
    clock,
    ingest: (batches) => batches.map(ingest),
    takeGpuLog: createTakeGpuLog(store),
    rules: engine.rules,
    health: () => runner.health(),
    service: {
      version: common.version,
      host: hostName,
      startedAt,
      simulated: around.simulated,
      watched: [...settings.watch],
      gpuSource: gpus.says,
    },
    access: { token: settings.token, hosts: settings.hosts, origins: settings.origins },
    webRoot: existsSync(join(root, 'dist/web/index.html')) ? join(root, 'dist/web') : null,
    // Fastify says at info what we say ourselves.
    log: log.child({ part: 'server' }, { level: 'warn' }),
  });
  ends.push(() => server.close());

  const url = await server.listen({ host: settings.host, port: settings.port });
  ends.push(writeServiceFile(settings.db, { pid: process.pid, url }));

  runner.add(finder);
  runner.add(
    createHostCollector({
      procfs: around.procfs,
      sysfs: around.sysfs,
      name: hostName,
      roots: settings.watch,
      database: settings.db,
      intervalMs: settings.hostInterval,
      clock,
    }),
  );
  for (const collector of gpus.collectors) runner.add(collector);
  runner.add(createHealthCollector({ health: () => runner.health(), clock }));
  const placeOf = createRunPlaces({ store, host: hostName });
  const launches = join(dirname(settings.db), LAUNCHES);
  const sources = [
    createProcessWatch({ procfs: PROC, pids: tracker.pidsToWatch }),
    createProcessSearch({ procfs: PROC, passwd: PASSWD, runs: tracker.withoutProcess, clock }),
    createProcessTrees({
      procfs: PROC,
      runs: () => tracker.active().map(({ id, pids }) => ({ run: id, pids })),
      intervalMs: settings.hostInterval,
      clock,
    }),
    createUnwatchedTrainings({
      procfs: PROC,
      roots: settings.watch,
      strangers: tracker.gpus.strangers,
      now: clock.now,
    }),
    createKernelLogCollector({ path: '/dev/kmsg', procfs: PROC, clock, log, driver: gpus.xidEvents ?? null }),
    createLaunchCollector({
      folder: launches,
      host: hostName,
      runOf: (folder, workedIn) => placeOf(folder, { workedIn }),
      now: clock.now,
      log,
    }),
    ...(settings.logs.length === 0
      ? []
      : [
          createLogFilesCollector({
            globs: settings.logs,
            runOf: (folder, near) => placeOf(folder, { near }),
            now: clock.now,
            log,
          }),
        ]),
  ];
  for (const collector of sources) runner.add(collector);
  /** Whether the finder, and every run folder that it found, was looked at once. */
  const hasLooked = () => {
    const health = runner.health();
    return (
      watching.hasBegun() &&
      health.some(({ name, lastSuccessAt }) => name === finder.name && lastSuccessAt !== null) &&
      health.every(({ lastSuccessAt, lastErrorAt }) => lastSuccessAt !== null || lastErrorAt !== null)
    );
  };
  const statistics = createRunStatistics({ store, clock, log });
  ends.push(statistics.close);
  const maintain = createMaintenance({ store, clock });
  let unseenEnded = false;
  const endUnseen = () => {
    if (unseenEnded || !hasLooked()) return;
    unseenEnded = true;
    pipeline.endUnseen();
  };
  const judge = () => {
    if (!attempt('judging failed', pipeline.judge)) attempt('what is stored cannot be read', pipeline.reload);
  };
  ends.push(
    every(clock, JUDGE_EVERY_MS, judge),
    every(clock, JUDGE_EVERY_MS, () => attempt('the history cannot be looked after', maintain)),
    every(clock, JUDGE_EVERY_MS, () => attempt('runs that are gone cannot be ended', endUnseen)),
    every(clock, STATISTICS_EVERY_MS, statistics.keep),
  );
  const judgeOld = () => {
    // To be found comes before to be judged.
    if (!hasLooked()) return false;
    let isMore = false;
    const isWell = attempt('an old run cannot be judged', () => {
      isMore = pipeline.judgeOld();
    });
    return isWell && isMore;
  };
  ends.push(workOff(OLD_RUNS_SHARE, judgeOld));
  if (around.stop !== null) ends.push(around.stop);

  let closing: Promise<void> | null = null;
  return {
    url,
    firstLook: async () => {
      for (let waitedMs = 0; waitedMs < FIRST_LOOK_WITHIN_MS && !hasLooked(); waitedMs += 50) await sleep(50);
      return {
        url,
        version: common.version,
        settings,
        runs: store.countRuns(),
        gpus: gpus.says,
        simulated: around.simulated,
      };
    },
    close: () => {
      closing ??= endInOrder(ends);
      return closing;
    },
  };
};
