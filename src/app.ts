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
  common: { readonly root: string; readonly version: string; readonly hostName: string; readonly log: Logger },
): Promise<App> => {
  const { settings, clock } = around;
  const { root, hostName, log } = common;
  const startedAt = clock.now();
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
    onRun: (run, wasActive) => followRun(run, wasActive),
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
        // Nothing of the batch is in the store: go back to what is. The runner lets the collector start over, so that
        // what was lost comes again.
        pipeline.reload();
        throw error;
      }
    },
  });
  ends.push(() => runner.close());

  /** Folders that have a collector of their own. */
  const watched = new Set<string>();
  const watchRun = (path: string) => {
    if (watched.has(path)) return;
    watched.add(path);
    runner.add(createRunFolderCollector(path, { log }));
  };
  const leaveRun = (run: Run) => {
    watched.delete(run.path);
    tracker.forget(run.id);
    runner.remove(runCollectorName(run.path));
  };
  /** An old run is looked at once, one that ends now a little longer; the finder notices when one stirs again. */
  const followRun = (run: Run, wasActive: boolean) => {
    log.info({ run: run.id, path: run.path, state: run.state, reason: run.stateReason }, 'run');
    if (isActive(run)) return;
    const leave = () => {
      const now = store.getRun(run.id);
      if (now !== undefined && !isActive(now)) leaveRun(run);
    };
    clock.after(wasActive ? WATCH_AFTER_END_MS : 0, leave);
  };

  const gpus = await findGpuCollectors({
    mode: settings.gpu,
    nvidiaSmi: settings.nvidiaSmi,
    intervalMs: settings.gpuInterval,
    clock,
    log,
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
  ends.push(
    every(clock, JUDGE_EVERY_MS, () => attempt(log, 'judging failed', pipeline.judge, pipeline.reload)),
    every(clock, JUDGE_EVERY_MS, () => attempt(log, 'pruning failed', prune)),
  );
  if (around.stop !== null) ends.push(around.stop);

  let closing: Promise<void> | null = null;
  return {
    url,
    firstLook: async () => {
      await lookedOnce(runner, finder.name);
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

/** A tick that fails must not end the ticking; the same error is logged once. */
const attempt = (log: Logger, message: string, work: () => void, mend?: () => void): void => {
  try {
    work();
  } catch (err) {
    log.error({ err }, message);
    mend?.();
  }
};

/** Waits until the finder and every run folder that it found were looked at once, or for {@link FIRST_LOOK_WITHIN_MS}. */
const lookedOnce = async (runner: Runner, finder: string): Promise<void> => {
  for (let waitedMs = 0; waitedMs < FIRST_LOOK_WITHIN_MS; waitedMs += 50) {
    await sleep(50);
    const health = runner.health();
    const looked = health.every(({ lastSuccessAt, lastErrorAt }) => lastSuccessAt !== null || lastErrorAt !== null);
    if (looked && health.some(({ name }) => name === finder)) return;
  }
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
