import { type Api, createApi, RequestFailed } from '../api.ts';
import { addAlerts, addRows, addRuns, applyFrame, type Dashboard, emptyDashboard, forget } from './dashboard.ts';
import type { ServerFrame, TopicData } from './frames.ts';
import { createObservable, type Observable } from './observable.ts';
import { createServerClock, type ServerClock } from './server-clock.ts';
import { openStream, type Stream } from './stream.ts';

type LiveSample = TopicData['gpu' | 'host'];

/** Everything that the pages work with: what is known, the service's clock, and the ways to learn more. */
export type Session = {
  readonly dashboard: Observable<Dashboard>;
  readonly clock: ServerClock;
  readonly history: Api['history'];
  readonly attempts: Api['attempts'];
  /** Every sample as it comes, unlike the state, which a page may look at less often than they come. */
  readonly onSample: (listener: (sample: LiveSample) => void) => () => void;
  /** Loads a page of runs into the state; returns the cursor of the next page. */
  readonly loadRuns: (cursor?: string) => Promise<string | null>;
  readonly loadRun: (id: string) => Promise<void>;
  readonly loadRows: (run: string) => Promise<void>;
  /** Like {@link loadRuns}. */
  readonly loadAlerts: (query: Parameters<Api['alerts']>[0]) => Promise<string | null>;
  /** GPUs and hosts with what is only asked now and then: who uses them. */
  readonly loadDevices: () => Promise<void>;
  /** How the service itself is doing. */
  readonly loadReadiness: () => Promise<void>;
  /** Keeps the token for this browser tab and tries again. */
  readonly signIn: (token: string) => void;
};

export type SessionDependencies = {
  /** Address of `/api/v1/`. */
  readonly root: URL;
  readonly storage: Storage;
  readonly elapsed: () => number;
  /** The browser's own clock, for how long the service has been away. */
  readonly browserNow: () => number;
};

const TOKEN_KEY = 'signalbox.token';

export const startSession = ({ root, storage, elapsed, browserNow }: SessionDependencies): Session => {
  const dashboard = createObservable(emptyDashboard);
  const clock = createServerClock(elapsed);
  const listeners = new Set<(sample: LiveSample) => void>();
  const token = () => storage.getItem(TOKEN_KEY);
  const api = createApi({ root, token, onUnauthorized: () => askForToken() });
  let stream: Stream | null = null;

  const connect = () => {
    stream = openStream({
      url: new URL('stream', root.href.replace(/^http/, 'ws')),
      token,
      prepare: async () => {
        const service = await api.service();
        dashboard.update((state) => ({ ...state, service }));
      },
      onFrame: take,
      onLive: () => {
        dashboard.update((state) => ({
          ...state,
          connection: { state: 'live' },
          connections: state.connections + 1,
        }));
        void loadDevices();
      },
      onAway: () =>
        dashboard.update((state) =>
          state.connection.state === 'away'
            ? state
            : { ...state, connection: { state: 'away', sinceAt: browserNow() } },
        ),
    });
  };

  const askForToken = () => {
    stream?.close();
    stream = null;
    dashboard.update((state) => ({ ...state, token: token() === null ? 'missing' : 'refused' }));
  };

  const take = (frame: ServerFrame) => {
    switch (frame.op) {
      case 'welcome':
        clock.set(frame.serverAt, frame.simulated);
        return;
      case 'snapshot':
        dashboard.update((state) => applyFrame(state, frame));
        return;
      case 'event':
        clock.reached(frame.at);
        dashboard.update((state) => applyFrame(state, frame));
        if (frame.topic === 'gpu' || frame.topic === 'host') for (const listener of listeners) listener(frame.data);
        return;
      case 'reset':
        dashboard.update(forget);
        void loadDevices();
        return;
      case 'error':
        console.warn('signalbox stream:', frame.code, frame.message);
        return;
      case 'subscribed':
      case 'pong':
      case 'lag':
        return;
    }
  };

  const loadDevices = async () => {
    const [gpus, hosts] = await Promise.all([api.gpus(), api.hosts()]).catch(unlessAway);
    if (gpus && hosts) dashboard.update((state) => ({ ...state, gpus: gpus.items, hosts: hosts.items }));
  };

  const loadReadiness = async () => {
    const [readiness] = await api.readiness().then((answer) => [answer], unlessAway);
    if (readiness) dashboard.update((state) => ({ ...state, readiness }));
  };

  connect();
  return {
    dashboard,
    clock,
    history: api.history,
    attempts: api.attempts,
    onSample: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    loadRuns: async (cursor) => {
      const page = await api.runs(cursor);
      dashboard.update((state) => addRuns(state, page.items));
      return page.next;
    },
    loadRun: async (id) => {
      const run = await api.run(id);
      dashboard.update((state) => addRuns(state, [run]));
    },
    loadRows: async (run) => {
      const rows = await api.epochs(run);
      dashboard.update((state) => addRows(state, run, rows));
    },
    loadAlerts: async (query) => {
      const page = await api.alerts(query);
      dashboard.update((state) => addAlerts(state, page.items));
      return page.next;
    },
    loadDevices,
    loadReadiness,
    signIn: (secret) => {
      storage.setItem(TOKEN_KEY, secret);
      dashboard.update((state) => ({ ...state, token: 'fine' }));
      connect();
    },
  };
};

/** The stream notices by itself that the service is away, and loads the devices again when it is back. */
const unlessAway = (error: unknown): readonly [] => {
  if (error instanceof RequestFailed) return [];
  throw error;
};
