import type { Alert } from '../../../src/core/alert.ts';
import type { EpochRow, Run } from '../../../src/core/run.ts';
import type { Gpu, GpuSample, Host, HostSample } from '../../../src/core/sample.ts';
import type { Readiness, ServiceFacts } from '../../../src/core/service.ts';
import { mergeRows } from '../model/epoch-rows.ts';
import type { Snapshot, StreamedEvent } from './frames.ts';

/** `away` since a moment of the browser's own clock: the service cannot be asked for its time then. */
export type Connection =
  | { readonly state: 'connecting' }
  | { readonly state: 'live' }
  | { readonly state: 'away'; readonly sinceAt: number };

/** All that the dashboard knows. */
export type Dashboard = {
  readonly connection: Connection;
  /** `missing` and `refused`: the service wants a token, or another one, and a person has to be asked. */
  readonly token: 'fine' | 'missing' | 'refused';
  readonly service: ServiceFacts | null;
  /** How the service itself was doing when it was asked last; null: not asked yet. */
  readonly readiness: Readiness | null;
  /** How often the stream has been opened: what has no cursor (histories, devices) is loaded again each time. */
  readonly connections: number;
  /** Rises when everything known was dropped because the service said `reset`: what was loaded is loaded again. */
  readonly generation: number;
  readonly runs: ReadonlyMap<string, Run>;
  /** Rows by run, by attempt and epoch. Complete only for runs whose history was loaded. */
  readonly epochs: ReadonlyMap<string, readonly EpochRow[]>;
  readonly alerts: ReadonlyMap<string, Alert>;
  /** null: not asked yet. */
  readonly gpus: readonly Gpu[] | null;
  readonly hosts: readonly Host[] | null;
  /** The newest sample by subject. */
  readonly gpuSamples: ReadonlyMap<string, GpuSample>;
  readonly hostSamples: ReadonlyMap<string, HostSample>;
};

export const emptyDashboard: Dashboard = {
  connection: { state: 'connecting' },
  token: 'fine',
  service: null,
  readiness: null,
  connections: 0,
  generation: 0,
  runs: new Map(),
  epochs: new Map(),
  alerts: new Map(),
  gpus: null,
  hosts: null,
  gpuSamples: new Map(),
  hostSamples: new Map(),
};

/** What the stream said is the newest truth: it replaces what was known. */
export const applyFrame = (state: Dashboard, frame: Snapshot | StreamedEvent): Dashboard => {
  switch (frame.topic) {
    case 'runs':
      return { ...state, runs: put(state.runs, itemsOf(frame), (run) => run.id) };
    case 'alerts':
      return { ...state, alerts: put(state.alerts, itemsOf(frame), (alert) => alert.id) };
    case 'gpu':
      return { ...state, gpuSamples: put(state.gpuSamples, itemsOf(frame), (sample) => sample.gpu) };
    case 'host':
      return { ...state, hostSamples: put(state.hostSamples, itemsOf(frame), (sample) => sample.host) };
    case 'epochs': {
      const epochs = new Map(state.epochs);
      for (const { run, ...row } of itemsOf(frame)) epochs.set(run, mergeRows(epochs.get(run) ?? [], [row]));
      return { ...state, epochs };
    }
  }
};

/** REST answers may be older than what the stream has said since: they only add what is not known yet. */
export const addRuns = (state: Dashboard, runs: readonly Run[]): Dashboard => ({
  ...state,
  runs: putMissing(state.runs, runs, (run) => run.id),
});

/** See {@link addRuns}. */
export const addAlerts = (state: Dashboard, alerts: readonly Alert[]): Dashboard => ({
  ...state,
  alerts: putMissing(state.alerts, alerts, (alert) => alert.id),
});

/** See {@link addRuns}. */
export const addRows = (state: Dashboard, run: string, rows: readonly EpochRow[]): Dashboard => ({
  ...state,
  epochs: new Map(state.epochs).set(run, mergeRows(rows, state.epochs.get(run) ?? [])),
});

/** Forgets what came from the service's store, after it said that our cursor is of no use any more. */
export const forget = (state: Dashboard): Dashboard => ({
  ...emptyDashboard,
  connection: state.connection,
  service: state.service,
  readiness: state.readiness,
  connections: state.connections,
  generation: state.generation + 1,
});

const itemsOf = <T>(frame: { op: 'snapshot'; data: readonly T[] } | { op: 'event'; data: T }): readonly T[] =>
  frame.op === 'snapshot' ? frame.data : [frame.data];

const put = <T>(known: ReadonlyMap<string, T>, items: readonly T[], key: (item: T) => string) =>
  new Map([...known, ...items.map((item) => [key(item), item] as const)]);

const putMissing = <T>(known: ReadonlyMap<string, T>, items: readonly T[], key: (item: T) => string) =>
  new Map([...items.map((item) => [key(item), item] as const), ...known]);
