import { hoursOf, type Stretch } from '../history-data.ts';
import type { Question } from '../history-questions.ts';
import type { Answers } from './answers.ts';

/** One system with the data set in it, which answers over HTTP. */
export type Peer = {
  readonly name: string;
  /** What the day of all GPUs takes on the disk, alone. */
  readonly bytes: number;
  /** What of it is kept free for the next samples, however much is stored. */
  readonly freeBytes: number;
  /** What is asked for at once to have the question answered. */
  readonly urls: (question: Question) => readonly string[];
  /** Reads the bodies of these answers, in their order. */
  readonly read: (question: Question, bodies: readonly string[]) => Answers;
  readonly stop: () => Promise<void>;
};

/** One hour of one series of a GPU. */
export type SeriesHour = {
  readonly gpu: number;
  readonly metric: string;
  /** ms. */
  readonly at: Float64Array;
  readonly values: Float64Array;
};

/** The data set series by series, an hour at a time. */
export function* seriesOf(stretches: readonly Stretch[]): Generator<SeriesHour> {
  for (const stretch of stretches) {
    for (const { at, columns } of hoursOf(stretch)) {
      for (const [metric, values] of columns) yield { gpu: stretch.gpu, metric, at, values };
    }
  }
}
