import type { ObservedResults, ObservedRow } from './core/batch.ts';
import type { OutputNews } from './core/ports.ts';
import type { NonFinite } from './core/run.ts';
import type { EpochEvent, RunEvent } from './core/trace.ts';

/**
 * The epochs that a training tells of in an output, as rows of a result file that it does not write here. `lastEpoch`:
 * of the rows that the run has already.
 */
export const saidRows = (
  news: readonly OutputNews[],
  lastEpoch: number | null,
): { readonly results: ObservedResults; readonly rows: readonly ObservedRow[] } | null => {
  const [first] = news;
  if (first === undefined) return null;
  const rows: ObservedRow[] = [];
  let last = lastEpoch;
  for (const { events, known } of news) {
    let starts = known.facts.starts - events.filter(({ kind }) => kind === 'start').length;
    let kind: ObservedRow['fileAttemptKind'] = 'start';
    for (const event of events) {
      if (event.kind === 'start') starts += 1;
      if (event.kind !== 'epoch') continue;
      if (starts > 1) kind = last !== null && event.epoch <= last ? 'rerun' : 'resume';
      rows.push({ ...rowOf(event), fileAttempt: Math.max(0, starts - 1), fileAttemptKind: kind });
      last = event.epoch;
    }
  }
  if (rows.length === 0) return null;
  return { results: resultsOf(first.known.source, rows), rows };
};

/** Whether epochs are read from a result file: then what an output says of them is no news. */
export const hasResultFile = ({ results }: { readonly results: ObservedResults | null }): boolean =>
  results !== null && !results.generation.startsWith(SAID);

/** What an output says of the run's arguments, under the trainer's names; null: nothing. */
export const saidArgs = (events: readonly RunEvent[]): Readonly<Record<string, unknown>> | null => {
  const said: Record<string, unknown> = {};
  for (const event of events) {
    if (event.kind === 'start') put(said, { epochs: event.epochs, model: event.model, task: event.task });
    if (event.kind !== 'args') continue;
    const { epochs, closeMosaic, lr0, lrf, cosLr, warmupEpochs } = event;
    put(said, { epochs, close_mosaic: closeMosaic, lr0, lrf, cos_lr: cosLr, warmup_epochs: warmupEpochs });
  }
  return Object.keys(said).length === 0 ? null : said;
};

const put = (said: Record<string, unknown>, values: Readonly<Record<string, unknown>>): void => {
  for (const [name, value] of Object.entries(values)) if (value !== undefined) said[name] = value;
};

const rowOf = ({ t, epoch, elapsedS, metrics }: EpochEvent) => {
  const nonFinite = Object.entries(metrics).filter(
    (entry): entry is [string, NonFinite] => typeof entry[1] === 'string',
  );
  return {
    epoch,
    at: t,
    atSource: t === null ? null : ('time' as const),
    elapsedS: elapsedS ?? null,
    metrics: Object.fromEntries(
      Object.entries(metrics).map(([name, value]) => [name, typeof value === 'number' ? value : null]),
    ),
    ...(nonFinite.length > 0 && { nonFinite: Object.fromEntries(nonFinite) }),
  };
};

/** Begins the generation of rows that no file holds. */
const SAID = 'said ';

/** There is no file: what a file is known again by is the output itself. */
const resultsOf = (source: string, rows: readonly ObservedRow[]): ObservedResults => ({
  generation: SAID + source,
  inode: 0,
  fresh: false,
  mtimeAt: rows.at(-1)?.at ?? 0,
  size: 0,
  rowsKeptOut: 0,
  epochsPlanned: null,
});
