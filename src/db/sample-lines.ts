import type { ExportedSample, Selection } from '../store/care/export-samples.ts';

/** About this many characters are written at once. */
const CHUNK_CHARACTERS = 65_536;

/** The lines of an export, some at a time: CSV with a header, empty where nothing is known; or a JSON object a line. */
export const sampleLines = function* (selection: Selection, format: 'csv' | 'ndjson'): Generator<string> {
  const { metrics } = selection;
  const lineOf = format === 'csv' ? csvLine(metrics) : jsonLine;
  let text = format === 'csv' ? `${['subject', 'at', ...metrics].join(',')}\n` : '';
  for (const sample of selection.samples()) {
    text += `${lineOf(sample)}\n`;
    if (text.length >= CHUNK_CHARACTERS) {
      yield text;
      text = '';
    }
  }
  yield text;
};

const csvLine =
  (metrics: readonly string[]) =>
  ({ subject, at, values }: ExportedSample): string =>
    [quoted(subject), at, ...metrics.map((metric) => values[metric] ?? '')].join(',');

const quoted = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

const jsonLine = ({ subject, at, values }: ExportedSample): string => JSON.stringify({ subject, at, ...values });
