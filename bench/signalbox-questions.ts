import { Value } from 'typebox/value';
import { HistorySchema } from '../src/core/history.ts';
import type { Question } from './history-questions.ts';

/** One request for each GPU, all to be asked at once. */
export const signalboxUrls = (base: string, question: Question): readonly string[] => {
  const { gpus, metrics, from, to, stepMs, aggregates } = question;
  const parameters = new URLSearchParams({
    ...{ metrics: metrics.join(','), from: String(from), to: String(to), step: `${stepMs}ms` },
    ...(aggregates.length > 0 && { agg: aggregates.join(',') }),
  });
  return gpus.map((gpu) => `${base}/api/v1/gpus/${gpu}/history?${parameters}`);
};

/** The values of each series, `gpu/metric/aggregate`; where the samples are asked for, a bucket's mean is its sample. */
export const readHistories = (
  question: Question,
  bodies: readonly string[],
): ReadonlyMap<string, readonly number[]> => {
  const answers = new Map<string, readonly number[]>();
  for (const [place, body] of bodies.entries()) {
    const history: unknown = JSON.parse(body);
    if (!Value.Check(HistorySchema, history)) throw new Error(`expected a history, not ${body.slice(0, 200)}`);
    for (const [metric, columns] of Object.entries(history.metrics)) {
      const series = `${question.gpus[place]}/${metric}`;
      if (question.aggregates.length === 0) answers.set(`${series}/samples`, numbers(columns.avg));
      for (const aggregate of question.aggregates) {
        answers.set(`${series}/${aggregate}`, numbers(columns[aggregate] ?? []));
      }
    }
  }
  return answers;
};

const numbers = (values: readonly (number | null)[]): readonly number[] => values.map((value) => value ?? Number.NaN);
