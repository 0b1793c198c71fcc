import type { Alert } from '../../core/alert.ts';
import type { PageQuery, StoreReader } from '../../core/ports.ts';
import { ACTIVE_RUN_STATES, type Run } from '../../core/run.ts';
import type { GpuSample, HostSample } from '../../core/sample.ts';
import type { Page } from '../../core/schema.ts';
import type { RunEpoch, RunLogLine, RunStep } from '../../core/stream.ts';
import type { Subscription } from './subscription.ts';

const LATEST_RUNS = 50;
const ALERTS_MS = 24 * 3_600_000;
const STEPS = 500;
const LINES = 200;
const PAGE = 10_000;

/** What is known of a subscription's topic now, as the contract's section 3 lists it. `now` in milliseconds. */
export const readSnapshot = (
  store: StoreReader,
  { topic, run, gpu }: Subscription,
  now: number,
): readonly (Run | RunEpoch | RunStep | RunLogLine | Alert | GpuSample | HostSample)[] => {
  switch (topic) {
    case 'runs':
      return readRuns(store, run);
    case 'epochs':
      return run === undefined ? readLastEpochs(store) : readEpochs(store, run);
    case 'alerts':
      return readAlerts(store, run, now);
    case 'gpu':
      return store
        .listGpus()
        .filter((known) => (gpu === undefined || known.index === gpu) && (run === undefined || known.run === run))
        .flatMap(({ latest }) => latest ?? []);
    case 'host':
      return store.listHosts().flatMap(({ latest }) => latest ?? []);
    case 'batches':
      return runsOf(store, run).flatMap((id) =>
        store.listSteps(id, { limit: STEPS, newest: true }).items.map((step) => ({ run: id, ...step })),
      );
    case 'logs':
      return runsOf(store, run).flatMap((id) => store.logTail(id, LINES).map((line) => ({ run: id, ...line })));
  }
};

const readRuns = (store: StoreReader, run: string | undefined): readonly Run[] => {
  if (run !== undefined) return [store.getRun(run)].filter((found) => found !== undefined);
  const latest = store.listRuns({ limit: LATEST_RUNS }).items;
  const active = readActive(store).filter(({ id }) => !latest.some((shown) => shown.id === id));
  return [...latest, ...active];
};

/** The run that was asked for, else every active one. */
const runsOf = (store: StoreReader, run: string | undefined): readonly string[] =>
  run === undefined ? readActive(store).map(({ id }) => id) : [run];

const readActive = (store: StoreReader): readonly Run[] =>
  readAll((page) => store.listRuns({ ...page, states: ACTIVE_RUN_STATES }));

const readEpochs = (store: StoreReader, run: string): readonly RunEpoch[] =>
  readAll((page) => store.listEpochs(run, page)).map((row) => ({ run, ...row }));

const readLastEpochs = (store: StoreReader): readonly RunEpoch[] =>
  readActive(store).flatMap(({ id, latest }) => {
    if (latest === null) return [];
    // An epoch logged again stands in several attempts: the last of them is the latest.
    const row = store.listEpochs(id, { from: latest.epoch, to: latest.epoch, limit: PAGE }).items.at(-1);
    return row === undefined ? [] : [{ run: id, ...row }];
  });

const readAlerts = (store: StoreReader, run: string | undefined, now: number): readonly Alert[] => {
  const open = readAll((page) => store.listAlerts({ ...page, run, states: ['pending', 'firing'] }));
  const recent = readAll((page) => store.listAlerts({ ...page, run, from: now - ALERTS_MS }));
  return [...recent, ...open.filter(({ id }) => !recent.some((shown) => shown.id === id))];
};

const readAll = <T>(list: (page: PageQuery) => Page<T>): readonly T[] => {
  const items: T[] = [];
  let cursor: string | undefined;
  do {
    const page = list({ limit: PAGE, cursor });
    items.push(...page.items);
    cursor = page.next ?? undefined;
  } while (cursor !== undefined);
  return items;
};
