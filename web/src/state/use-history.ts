import { useCallback, useEffect, useState } from 'preact/hooks';
import { RequestFailed } from '../api.ts';
import { useDashboard, useSession } from '../context.ts';
import { type History, withoutEmptyBuckets, withSample } from '../model/history.ts';
import type { Window } from '../model/time-range.ts';
import type { TopicData } from './frames.ts';

/** The last so many milliseconds, moving on; or from a moment to another one, or to now and moving on. */
export type Span = { readonly lastMs: number } | { readonly from: number; readonly to: number | null };

/** The stretch that a span is at a moment. */
export const windowAt = (span: Span, now: number): Window =>
  'lastMs' in span ? [now - span.lastMs, now] : [span.from, span.to ?? now];

export type LiveHistory = {
  readonly history: History;
  /** What the time axis shows, in milliseconds. */
  readonly span: Window;
};

/** Where the history of a subject stands. */
export type HistoryState = {
  /** null until it is there; what was there stays while another stretch is loaded. */
  readonly live: LiveHistory | null;
  readonly loading: boolean;
  /** Why it could not be loaded. */
  readonly problem: string | null;
  readonly again: () => void;
};

/** Enough for a line across a wide screen; the service answers from the tier that fits. */
const POINTS = 400;
/** Samples of a fast demo are drawn together this often, in milliseconds of the browser. */
const DRAW_MS = 500;

/**
 * The history of one subject (`gpu:0`, `host:NAME`), continued by its live samples where it goes on to now. Loaded
 * again whenever the stream was away.
 */
export const useHistory = (subject: string, metrics: readonly string[], wanted: Span): HistoryState => {
  const session = useSession();
  const connections = useDashboard((state) => state.connections);
  const [live, setLive] = useState<LiveHistory | null>(null);
  const [loading, setLoading] = useState(true);
  const [problem, setProblem] = useState<string | null>(null);
  const [round, setRound] = useState(0);
  const key = JSON.stringify([subject, metrics, wanted]);

  useEffect(() => {
    const now = session.clock.now();
    if (now === null) return;
    const given = new AbortController();
    const ended = given.signal;
    const later = () => windowAt(wanted, session.clock.now() ?? now);
    let waiting: TopicData['gpu' | 'host'][] = [];
    let timer: ReturnType<typeof setTimeout> | undefined;

    const draw = () => {
      timer = undefined;
      const samples = waiting;
      waiting = [];
      setLive((before) => {
        if (!before) return before;
        const span = later();
        const history = samples.reduce(
          (sum, { at, ...values }) => withSample(sum, at, numbersOf(values), span[0]),
          before.history,
        );
        return { history, span };
      });
    };
    const following = 'lastMs' in wanted || wanted.to === null;
    // What comes before the history is there is drawn on top of it.
    let loaded = false;
    const stop = following
      ? session.onSample((sample) => {
          if (('gpu' in sample ? sample.gpu : sample.host) !== subject) return;
          waiting.push(sample);
          if (loaded) timer ??= setTimeout(draw, DRAW_MS);
        })
      : () => undefined;

    const [from, to] = windowAt(wanted, now);
    setLoading(true);
    session
      .history(subject, { metrics, from, to: to + 1, points: POINTS }, ended)
      .then(
        (series) => {
          if (ended.aborted) return;
          loaded = true;
          setProblem(null);
          setLive({ history: withoutEmptyBuckets(series), span: later() });
        },
        (error: unknown) => {
          if (ended.aborted) return;
          if (!(error instanceof RequestFailed)) throw error;
          setProblem(error.message);
        },
      )
      .finally(() => {
        if (!ended.aborted) setLoading(false);
      });
    return () => {
      given.abort();
      stop();
      clearTimeout(timer);
    };
  }, [session, key, connections, round]);

  const again = useCallback(() => setRound((count) => count + 1), []);
  return { live, loading, problem, again };
};

const numbersOf = (values: object): Readonly<Record<string, number | null>> =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value === null || typeof value === 'number'));
