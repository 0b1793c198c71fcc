import type { Ingested } from '../core/ingest.ts';
import type { RunEvent } from '../core/trace.ts';
import { parseEventLine } from '../core/trace-line.ts';

/** Takes what trainings sent of themselves, in order; answers the runs that it belongs to, one for each of `batches`. */
export type Ingest = (batches: readonly RunEvents[]) => readonly { readonly id: string }[];

/** Events of one run, given by its name. */
export type RunEvents = { readonly run: string; readonly events: readonly RunEvent[] };

/** What came of a body; `run` is null when no line was taken. */
export type IngestedLines = Omit<Ingested, 'run'> & { readonly run: string | null };

/** As much as is read and stored in a few milliseconds, be it bad lines; then others have their turn. */
const SLICE_CHARACTERS = 16 * 1024;
const SLICE_LINES = 250;
/** A line is read at one go. The metrics of a thousand classes are a third of this. */
const MAX_LINE_CHARACTERS = 256 * 1024;
const MAX_PROBLEMS = 10;

/**
 * Reads a body of event lines and hands them over slice by slice, so that a long one holds nobody up. Blank lines are
 * nothing. A line that names no run belongs to `run`.
 */
export const ingestLines = async (body: string, run: string | null, ingest: Ingest): Promise<IngestedLines> => {
  const problems: { line: number; problem: string }[] = [];
  let accepted = 0;
  let ignored = 0;
  let first: string | null = null;

  for (const slice of slicesOf(body)) {
    const byRun = new Map<string, RunEvent[]>();
    for (const { number, text } of slice) {
      const read = readLine(text, run);
      if ('problem' in read) {
        ignored++;
        if (problems.length < MAX_PROBLEMS) problems.push({ line: number, problem: read.problem });
        continue;
      }
      accepted++;
      const events = byRun.get(read.run);
      if (events === undefined) byRun.set(read.run, [read.event]);
      else events.push(read.event);
    }
    if (byRun.size > 0) {
      const runs = ingest([...byRun].map(([name, events]) => ({ run: name, events })));
      first ??= runs[0]?.id ?? null;
    }
    await new Promise(setImmediate);
  }
  return { run: first, accepted, ignored, problems };
};

const readLine = (text: string, run: string | null): { run: string; event: RunEvent } | { problem: string } => {
  if (text.length > MAX_LINE_CHARACTERS) {
    return { problem: `${text.length} characters, expected at most ${MAX_LINE_CHARACTERS}` };
  }
  const read = parseEventLine(text);
  if ('problem' in read) return read;
  const name = read.run ?? run;
  if (name === null) return { problem: `run: the line names none, and the query neither; use ?run=NAME` };
  if (!isRunName(name)) return { problem: `run: ${JSON.stringify(name.slice(0, 80))} is not ${A_RUN_NAME}` };
  return { run: name, event: read.event };
};

/** What may name a run, in words. */
export const A_RUN_NAME = '1 to 200 characters without control characters';

/** See {@link A_RUN_NAME}. */
export const isRunName = (name: string): boolean => name.length > 0 && name.length <= 200 && !/\p{Cc}/u.test(name);

type Line = { readonly number: number; readonly text: string };

/** The lines that are not blank, numbered from 1, some of them at a time. */
function* slicesOf(body: string): Generator<readonly Line[]> {
  let slice: Line[] = [];
  let characters = 0;
  let number = 0;
  // A byte order mark is Windows' way to begin a text.
  for (let at = body.startsWith('\uFEFF') ? 1 : 0; at < body.length; ) {
    const found = body.indexOf('\n', at);
    const end = found === -1 ? body.length : found;
    const text = body.slice(at, end).trim();
    number++;
    at = end + 1;
    if (text !== '') slice.push({ number, text });
    characters += text.length + 1;
    if (characters < SLICE_CHARACTERS && slice.length < SLICE_LINES) continue;
    yield slice;
    slice = [];
    characters = 0;
  }
  yield slice;
}
