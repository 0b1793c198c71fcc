import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { findGpuCollectors } from './collectors/gpu-source.ts';
import { createHostCollector } from './collectors/host-proc.ts';
import { createRunFinder } from './collectors/run-finder.ts';
import { createRunFolderCollector, runCollectorName } from './collectors/run-folder.ts';
import { createRunner, type Runner } from './collectors/runner.ts';
import { createBus } from './core/bus.ts';
import type { Clock } from './core/clock.ts';
import { isActive, type Run } from './core/run.ts';
import type { Settings } from './options.ts';
import { createPipeline } from './pipeline.ts';
import { createEngine } from './rules/engine.ts';
import { RULES } from './rules/registry.ts';
import { createRunTracker } from './run-tracker.ts';
import { createServer } from './server/server.ts';
import { openStore } from './store/open.ts';

/** What is watched and with which eyes: the real thing, or a demo's simulators on a fast clock. */
export type Surroundings = {
  readonly settings: Settings;
  readonly clock: Clock;
  /** Set when what is watched is simulated: every page says so. */
  readonly simulated: { readonly speed: number } | null;
  readonly procfs: string;
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
  readonly runs: readonly Run[];
  readonly gpus: string;
  readonly simulated: { readonly speed: number } | null;
};

const JUDGE_EVERY_MS = 1000;
const PRUNE_EVERY_MS = 60_000;
/** A run that ended before our eyes is looked at a while longer: its last files are still being written. */
const WATCH_AFTER_END_MS = 10 * 60_000;
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

  const store = openStore({ path: settings.db, migrations: join(root, 'migrations') });
  ends.push(() => store.close());
  const bus = createBus((err) => log.error({ err }, 'a listener failed and was dropped'));
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
    samplePeriodMs: Math.max(settings.gpuInterval, settings.hostInterval),
    onRun: (run, before) => followRun(run, before),
    onRest: (run) => leaveSoon(run, 0),
  });
  pipeline.reload();
  ends.push(() => pipeline.flush());

  const runner = createRunner({
    clock,
    log,
    ingest: (batch) => {
      try {
        pipeline.ingest(batch);
      } catch (error) {
        // A step of the batch is not in the store: go back to what is. The runner lets the collector start over, so
        // that what was lost comes again.
        attempt('what is stored cannot be read', pipeline.reload);
        throw error;
      }
    },
  });
  ends.push(() => runner.close());

  /** Folders that have a collector of their own, and the run that was last seen in each. */
  const watched = new Map<string, string | null>();
  const watchRun = (path: string) => {
    if (watched.has(path)) return;
    watched.set(path, null);
    runner.add(createRunFolderCollector(path, { log }));
  };
  const leaveFolder = (path: string, run: string) => {
    if (watched.get(path) !== run) return;
    watched.delete(path);
    runner.remove(runCollectorName(path));
  };
  const leaving = new Set<string>();
  const leaveSoon = (run: Run, ms: number) => {
    watched.set(run.path, run.id);
    if (leaving.has(run.id)) return;
    leaving.add(run.id);
    clock.after(ms, () => {
      leaving.delete(run.id);
      const now = store.getRun(run.id);
      if (now === undefined || isActive(now)) return;
      leaveFolder(now.path, run.id);
      tracker.forget(run.id);
    });
  };
  /** An old run is looked at once, one that ends now a little longer; the finder notices when one stirs again. */
  const followRun = (run: Run, before: { readonly wasActive: boolean; readonly path: string | null }) => {
    log.info({ run: run.id, path: run.path, state: run.state, reason: run.stateReason }, 'run');
    if (before.path !== null) leaveFolder(before.path, run.id);
    if (isActive(run)) watched.set(run.path, run.id);
    else leaveSoon(run, before.wasActive ? WATCH_AFTER_END_MS : 0);
  };

  const gpus = await findGpuCollectors({
    mode: settings.gpu,
    nvidiaSmi: settings.nvidiaSmi,
    intervalMs: settings.gpuInterval,
    clock,
    log,
    signal: common.signal,
  });
  log.info({ says: gpus.says }, 'gpus');

  const server = await createServer({
    store,
    bus,
    clock,
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

  const finder = createRunFinder({
    roots: settings.watch,
    onFolder: watchRun,
    isWatched: (path) => watched.has(path),
    log,
  });
  runner.add(finder);
  runner.add(
    createHostCollector({
      procfs: around.procfs,
      name: hostName,
      roots: settings.watch,
      database: settings.db,
      intervalMs: settings.hostInterval,
      clock,
    }),
  );
  for (const collector of gpus.collectors) runner.add(collector);
  let pruneAt = clock.now() + PRUNE_EVERY_MS;
  /** A small step a minute, and one a second while there is more to do. */
  const prune = () => {
    const now = clock.now();
    if (now >= pruneAt && !store.prune(now)) pruneAt = now + PRUNE_EVERY_MS;
  };
  let unseenEnded = false;
  const endUnseen = () => {
    if (unseenEnded || !hasLooked(runner, finder.name)) return;
    unseenEnded = true;
    pipeline.endUnseen();
  };
  const judge = () => {
    if (!attempt('judging failed', pipeline.judge)) attempt('what is stored cannot be read', pipeline.reload);
  };
  ends.push(
    every(clock, JUDGE_EVERY_MS, judge),
    every(clock, JUDGE_EVERY_MS, () => attempt('pruning failed', prune)),
    every(clock, JUDGE_EVERY_MS, () => attempt('runs that are gone cannot be ended', endUnseen)),
  );
  if (around.stop !== null) ends.push(around.stop);

  let closing: Promise<void> | null = null;
  return {
    url,
    firstLook: async () => {
      await firstLook(runner, finder.name);
      const { items } = store.listRuns({ limit: 10_000 });
      return { url, version: common.version, settings, runs: items, gpus: gpus.says, simulated: around.simulated };
    },
    close: () => {
      closing ??= endInOrder(ends);
      return closing;
    },
  };
};

/** Runs `work` every `ms` of this clock; the function that is returned ends it. */
const every = (clock: Clock, ms: number, work: () => void): (() => void) => {
  let cancel = clock.after(ms, function again() {
    work();
    cancel = clock.after(ms, again);
  });
  return () => cancel();
};

/**
 * Lets a tick fail without ending the ticking; returns whether it went well. The same failure is said once, and once
 * that it is over.
 */
const createAttempt = (log: Logger) => {
  const failing = new Map<string, string>();
  return (message: string, work: () => void): boolean => {
    try {
      work();
      if (failing.delete(message)) log.info({ after: message }, 'went well again');
      return true;
    } catch (err) {
      const text = err instanceof Error ? err.message : String(err);
      if (failing.get(message) !== text) log.error({ err }, message);
      failing.set(message, text);
      return false;
    }
  };
};

/** Whether the finder and every run folder that it found were looked at once. */
const hasLooked = (runner: Runner, finder: string): boolean => {
  const health = runner.health();
  return (
    health.some(({ name, lastSuccessAt }) => name === finder && lastSuccessAt !== null) &&
    health.every(({ lastSuccessAt, lastErrorAt }) => lastSuccessAt !== null || lastErrorAt !== null)
  );
};

/** Waits for the first look, but not longer than {@link FIRST_LOOK_WITHIN_MS}. */
const firstLook = async (runner: Runner, finder: string): Promise<void> => {
  for (let waitedMs = 0; waitedMs < FIRST_LOOK_WITHIN_MS && !hasLooked(runner, finder); waitedMs += 50) await sleep(50);
};

/** Ends what was started last first, each even if the one before failed; the first error is thrown at the end. */
const endInOrder = async (ends: readonly (() => unknown)[]): Promise<void> => {
  const errors: unknown[] = [];
  for (const end of [...ends].reverse()) {
    try {
      await end();
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length > 0) throw errors[0];
};
