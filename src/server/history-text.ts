import { formatCsvLine } from './csv.ts';
import { aggregatesOf, columnsOf, type HistoryAnswer } from './history-columns.ts';

/** So many values are written in about two milliseconds. */
const VALUES_A_PIECE = 5000;

/** The history as it is, a piece a column. */
export function* jsonOf({ metrics, ...rest }: HistoryAnswer): Generator<string> {
  yield `${JSON.stringify(rest).slice(0, -1)},"metrics":{`;
  for (const [m, [metric, columns]] of Object.entries(metrics).entries()) {
    yield `${m === 0 ? '' : ','}${JSON.stringify(metric)}:{`;
    for (const [c, [name, column]] of Object.entries(columns).entries()) {
      yield `${c === 0 ? '' : ','}${JSON.stringify(name)}:${JSON.stringify(column)}`;
    }
    yield '}';
  }
  yield '}}';
}

/** A header, then a line a bucket: `t`, and each aggregate of each metric; null is an empty cell. */
export function* csvOf(history: HistoryAnswer): Generator<string> {
  const columns = columnsOf(history);
  yield formatCsvLine(['t', ...columns.map(({ name }) => name)]);
  yield* inPieces(history.t, columns.length, (t, i) =>
    formatCsvLine([t, ...columns.map(({ values }) => values[i] ?? null)]),
  );
}

/** A line a bucket: `{"t":…,"metrics":{"utilization":{"avg":…,…}}}`. */
export function* ndjsonOf({ t, metrics }: HistoryAnswer): Generator<string> {
  const series = Object.entries(metrics).map(([metric, columns]) => ({ metric, aggregates: aggregatesOf(columns) }));
  const bucket = (i: number) =>
    Object.fromEntries(
      series.map(({ metric, aggregates }) => [
        metric,
        Object.fromEntries(aggregates.map(({ aggregate, values }) => [aggregate, values[i] ?? null])),
      ]),
    );
  const valuesALine = series.reduce((sum, { aggregates }) => sum + aggregates.length, 1);
  yield* inPieces(t, valuesALine, (at, i) => `${JSON.stringify({ t: at, metrics: bucket(i) })}\n`);
}

function* inPieces(t: readonly number[], valuesALine: number, lineOf: (t: number, i: number) => string) {
  const linesAPiece = Math.max(1, Math.floor(VALUES_A_PIECE / (valuesALine + 1)));
  for (let first = 0; first < t.length; first += linesAPiece) {
    yield t.slice(first, first + linesAPiece).reduce((piece, at, i) => piece + lineOf(at, first + i), '');
  }
}
