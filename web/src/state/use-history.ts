import { useEffect, useState } from 'preact/hooks';
import { RequestFailed } from '../api.ts';
import { useDashboard, useSession } from '../context.ts';
import { type History, withoutEmptyBuckets, withSample } from '../model/history.ts';
import type { TopicData } from './frames.ts';

/** The last so many milliseconds, moving on; or from a moment to another one, or to now and moving on. */
export type Span = { readonly lastMs: number } | { readonly from: number; readonly to: number | null };

export type LiveHistory = {
  readonly history: History;
  /** What the time axis shows, in milliseconds. */
  readonly span: readonly [number, number];
};

/** Enough for a line across a wide screen; the service answers from the tier that fits. */
const POINTS = 400;
/** Samples of a fast demo are drawn together this often, in milliseconds of the browser. */
const DRAW_MS = 500;

/**
 * The history of one subject (`gpu:0`, `host:NAME`), continued by its live samples. Loaded again whenever the stream
 * was away. null until it is there, and where there is none; `problem` says why not.
 */
export const useHistory = (
  subject: string,
  metrics: readonly string[],
  wanted: Span,
): { readonly live: LiveHistory | null; readonly problem: string | null } => {
  const session = useSession();
  const connections = useDashboard((state) => state.connections);
  const [live, setLive] = useState<LiveHistory | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const key = JSON.stringify([subject, metrics, wanted]);

  useEffect(() => {
    const now = session.clock.now();
    if (now === null) return;
    const spanAt = (at: number): [number, number] =>
      'lastMs' in wanted ? [at - wanted.lastMs, at] : [wanted.from, wanted.to ?? at];
    let current = true;
    let waiting: TopicData['gpu' | 'host'][] = [];
    let timer: ReturnType<typeof setTimeout> | undefined;

    const draw = () => {
      timer = undefined;
      const samples = waiting;
      waiting = [];
      setLive((before) => {
        if (!before) return before;
        const span = spanAt(session.clock.now() ?? now);
        const history = samples.reduce(
          (sum, { at, ...values }) => withSample(sum, at, numbersOf(values), span[0]),
          before.history,
        );
        return { history, span };
      });
    };
    const following = 'lastMs' in wanted || wanted.to === null;
    const stop = following
      ? session.onSample((sample) => {
          if (('gpu' in sample ? sample.gpu : sample.host) !== subject) return;
          waiting.push(sample);
          timer ??= setTimeout(draw, DRAW_MS);
        })
      : () => undefined;

    const [from, to] = spanAt(now);
    session.history(subject, { metrics, from, to: to + 1, points: POINTS }).then(
      (series) => {
        if (!current) return;
        setProblem(null);
        setLive({ history: withoutEmptyBuckets(series), span: spanAt(session.clock.now() ?? now) });
      },
      (error: unknown) => {
        if (!(error instanceof RequestFailed)) throw error;
        if (current) setProblem(error.message);
      },
    );
    return () => {
      current = false;
      stop();
      clearTimeout(timer);
    };
  }, [session, key, connections]);

  return { live, problem };
};

const numbersOf = (values: object): Readonly<Record<string, number | null>> =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value === null || typeof value === 'number'));
