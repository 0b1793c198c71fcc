import { Type } from 'typebox';
import { Value } from 'typebox/value';
import { TICK_MS } from '../history-data.ts';
import type { Aggregate, Question } from '../history-questions.ts';
import { type Answers, SAMPLES } from './answers.ts';

/** `memoryUsed` as the peers call it. */
export const peerName = (metric: string): string =>
  `gpu_${metric.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}`;

/** How a system takes the language that both peers speak. */
export type Dialect = {
  /** Whether `x[60s]` holds the sample that is just 60 s old, beside that of now. */
  readonly hasBothEnds: boolean;
  readonly parameters: Readonly<Record<string, string>>;
};

/** One query for each aggregate, all to be asked at once. */
export const promqlUrls = (base: string, dialect: Dialect, question: Question): readonly string[] => {
  const { gpus, metrics, from, to, stepMs, aggregates } = question;
  const url = (path: string, parameters: Readonly<Record<string, string>>): string =>
    `${base}/api/v1/${path}?${new URLSearchParams({ ...parameters, ...dialect.parameters })}`;
  const series = `{__name__=~"${metrics.map(peerName).join('|')}",gpu=~"${gpus.join('|')}"}`;
  const stretch = (ms: number): string => `${series}[${(dialect.hasBothEnds ? ms - TICK_MS : ms) / 1000}s]`;
  if (aggregates.length === 0) {
    return [url('query', { query: stretch(to - from), time: seconds(to - TICK_MS) })];
  }
  // A bucket is the stretch that ends with its last sample.
  const times = { start: seconds(from + stepMs - TICK_MS), end: seconds(to - TICK_MS), step: seconds(stepMs) };
  return aggregates.map((aggregate) => url('query_range', { query: FUNCTIONS[aggregate](stretch(stepMs)), ...times }));
};

const FUNCTIONS: Readonly<Record<Aggregate, (stretch: string) => string>> = {
  avg: (stretch) => `avg_over_time(${stretch})`,
  min: (stretch) => `min_over_time(${stretch})`,
  max: (stretch) => `max_over_time(${stretch})`,
  p95: (stretch) => `quantile_over_time(0.95, ${stretch})`,
};

const seconds = (ms: number): string => String(ms / 1000);

const MatrixSchema = Type.Object({
  data: Type.Object({
    resultType: Type.Literal('matrix'),
    result: Type.Array(
      Type.Object({
        metric: Type.Record(Type.String(), Type.String()),
        values: Type.Array(Type.Tuple([Type.Number(), Type.String()])),
      }),
    ),
  }),
});

/** Reads what {@link promqlUrls} are answered with, in their order. */
export const readMatrices = (question: Question, bodies: readonly string[]): Answers => {
  const answers = new Map<string, readonly number[]>();
  for (const [place, body] of bodies.entries()) {
    const answer: unknown = JSON.parse(body);
    if (!Value.Check(MatrixSchema, answer)) throw new Error(`expected a matrix, not ${body.slice(0, 200)}`);
    for (const { metric: labels, values } of answer.data.result) {
      // Functions drop the name; only what is asked for as it is has several.
      const metric = question.metrics.find((name) => peerName(name) === labels.__name__) ?? question.metrics[0];
      const series = `${labels.gpu}/${metric}/${question.aggregates[place] ?? SAMPLES}`;
      answers.set(
        series,
        values.map(([, value]) => Number(value)),
      );
    }
  }
  return answers;
};
