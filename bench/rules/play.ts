import { Worker } from 'node:worker_threads';
import { playCarefulRows, playFirstRows } from './detectors/naive-rows.ts';
import { playCarefulSamples, playFirstSamples } from './detectors/naive-samples.ts';
import { playOurs } from './detectors/ours.ts';
import type { Raised } from './detectors/raised.ts';
import type { Reference } from './reference.ts';
import { rowsOf } from './rows.ts';
import type { Label, Scale, Scenario, Wanted } from './scenario.ts';

/** Who was asked: our engine, and the naive sets A (first) and C (careful) of RULES 5. */
export type DetectorName = 'ours' | 'first' | 'careful';

/** What everybody raised on a scenario, beside its truth. */
export type Played = {
  readonly scale: Scale;
  readonly clean: boolean;
  readonly length: number;
  readonly labels: readonly Label[];
  readonly raised: Readonly<Record<DetectorName, readonly Raised[]>>;
  /** What our judging cost. */
  readonly rounds: number;
  readonly judgingMs: number;
};

/** What one thread plays. */
export type Share = { readonly wanted: readonly Wanted[]; readonly reference: Reference | null };

/** Plays scenarios in so many threads; `reference`: made by the Python generators instead of ours. In the order of `wanted`. */
export const playAll = async (
  wanted: readonly Wanted[],
  reference: Reference | null,
  threads: number,
): Promise<readonly Played[]> => {
  const played: Played[] = [];
  await Promise.all(
    Array.from({ length: threads }, (_, thread) => {
      const own = wanted.flatMap((one, index) => (index % threads === thread ? [{ one, index }] : []));
      const share: Share = { wanted: own.map(({ one }) => one), reference };
      let next = 0;
      return new Promise<void>((resolve, reject) => {
        const worker = new Worker(new URL('worker.ts', import.meta.url), { workerData: share });
        worker.on('message', (message: Played) => {
          const place = own[next++];
          if (place) played[place.index] = message;
        });
        worker.on('error', reject);
        worker.on('exit', () => resolve());
      });
    }),
  );
  return played;
};

/** Plays one scenario to everybody. */
export const play = (scenario: Scenario): Played => {
  const { scale, clean, length, labels, trace } = scenario;
  const { raised: ours, rounds, judgingMs } = playOurs(scenario);
  const [first, careful] =
    scale === 'rows'
      ? [playFirstRows(rowsOf(trace)), playCarefulRows(rowsOf(trace))]
      : [playFirstSamples(trace), playCarefulSamples(trace)];
  return { scale, clean, length, labels, raised: { ours, first, careful }, rounds, judgingMs };
};
