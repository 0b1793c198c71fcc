import type { Batch, ObservedGpu, ObservedGpuNotes } from '../../core/batch.ts';
import type { Clock } from '../../core/clock.ts';
import type { Log } from '../../core/log.ts';
import type { Collector } from '../../core/ports.ts';
import type { Sample } from '../../core/sample.ts';
import { createGpuRowParser, csvAbsences, FIELDS_OF_METRIC, type GpuRow } from './csv.ts';
import { gapSamples } from './gap.ts';
import { notesOn } from './gpu-notes.ts';
import { createLineChild, silenceOfTicks } from './line-child.ts';
import { createGpuRounds, type GpuRound } from './rounds.ts';
import { explainSmiFailure } from './smi-errors.ts';
import { createUnreachableGpus, type LostGpu } from './unreachable.ts';

/** The collector, and whether the driver has answered lately: who reads silence as "nothing" must ask that. */
export type NvidiaSmiCollector = Collector & { readonly answers: () => boolean };

export type NvidiaSmiOptions = {
  readonly path: string;
  /** What to ask, from `chooseFields`. */
  readonly fields: readonly string[];
  readonly intervalMs: number;
  readonly clock: Clock;
  readonly log: Log;
};

const RETRY_WITHIN_MS = 2000;
/** What a look that never comes may leave waiting. */
const MAX_WAITING_SAMPLES = 5000;
const METRICS = Object.keys(FIELDS_OF_METRIC);

/**
 * GPU samples from one long-lived `nvidia-smi --query-gpu … -lms N`: 16 to 29 times cheaper than a start each second,
 * and it keeps the driver initialised. A finished round of all GPUs wakes the runner. `collect` returns what came since
 * the last look (nothing while the program starts); after an end of the program first the gap that it leaves, and then it
 * throws why it ended.
 */
export const createNvidiaSmiCollector = ({
  path,
  fields,
  intervalMs,
  clock,
  log,
}: NvidiaSmiOptions): NvidiaSmiCollector => {
  const parseRow = createGpuRowParser(fields);
  const absences = csvAbsences(fields);
  let rounds = createGpuRounds();
  let waiting: Sample[] = [];
  let latest: GpuRound | null = null;
  const unreachable = createUnreachableGpus();
  let lost: readonly LostGpu[] = [];
  /** What was told of the GPUs: see `createGpuRowParser` for why the same object says the same. */
  let inventory: readonly ObservedGpu[] = [];
  const notes = new Map<string, GpuRow['reasons'] | string>();
  let gap: string | null = null;
  let wake = () => {};
  const remarks = new Set<string>();

  const take = (round: GpuRound): void => {
    latest = round;
    for (const { gpu, values } of round.rows) waiting.push({ subject: `gpu:${gpu.uuid}`, at: round.at, values });
    lost = unreachable.beside(round.rows.map(({ gpu }) => gpu));
    const silent = lost.map(({ gpu }) => gpu.uuid);
    if (silent.length > 0) waiting.push(...gapSamples(silent, METRICS, round.at));
    if (waiting.length > MAX_WAITING_SAMPLES) waiting = waiting.slice(-MAX_WAITING_SAMPLES);
    wake();
  };

  const markGap = (why: string): void => {
    if (latest === null) return;
    const at = Math.min(clock.now(), latest.at + intervalMs);
    waiting.push(
      ...gapSamples(
        latest.rows.map(({ gpu }) => gpu.uuid),
        METRICS,
        at,
      ),
    );
    gap = why;
    wake();
  };

  const child = createLineChild({
    name: 'nvidia-smi',
    command: () => {
      const loop = ['--format=csv,noheader,nounits', '-lms', String(Math.round(intervalMs))];
      return [path, `--query-gpu=${fields.join(',')}`, ...loop];
    },
    environment: null,
    saysWhenItRuns: false,
    silenceMs: silenceOfTicks(intervalMs),
    onStart: () => {
      rounds = createGpuRounds();
    },
    onLine: (line) => {
      const row = parseRow(line);
      if (row === null) return line.trim() === '';
      for (const round of rounds.add(row, clock.now())) take(round);
      return true;
    },
    onRemark: (text) => {
      if (!remarks.has(text) && remarks.size < 1000) log.warn({ text }, 'nvidia-smi reports a problem');
      remarks.add(text);
      unreachable.hear(text);
    },
    onEnd: markGap,
    explainEnd: explainSmiFailure,
  });

  /** What changed since it was told last. */
  const newsOf = ({ rows }: GpuRound): Batch => {
    const gpus = rows.map((row) => row.gpu);
    const isNew = gpus.length !== inventory.length || gpus.some((gpu, place) => gpu !== inventory[place]);
    inventory = gpus;
    const isNews = (uuid: string, said: GpuRow['reasons'] | string): boolean => {
      const wasSaid = notes.get(uuid) === said;
      notes.set(uuid, said);
      return !wasSaid;
    };
    const changed = [
      ...rows
        .filter(({ gpu, reasons }) => isNews(gpu.uuid, reasons))
        .map(({ gpu, reasons }) => notesOn(gpu.uuid, { ...absences, ...reasons })),
      ...lost
        .filter(({ gpu, trouble }) => isNews(gpu.uuid, trouble))
        .map(({ gpu, trouble }) => inTrouble(gpu.uuid, trouble)),
    ];
    return { ...(isNew ? { gpus } : {}), ...(changed.length > 0 ? { gpuNotes: changed } : {}) };
  };

  /** Every GPU of the last round is in the trouble that the program is in. */
  const gapOf = (why: string): Batch => {
    const uuids = latest?.rows.map(({ gpu }) => gpu.uuid) ?? [];
    notes.clear();
    latest = null;
    return { gpuNotes: uuids.map((uuid) => inTrouble(uuid, why)) };
  };

  return {
    name: 'gpu',
    when: {
      everyMs: intervalMs,
      retryWithinMs: RETRY_WITHIN_MS,
      woken: (given) => {
        wake = given;
      },
    },
    timeoutMs: 5000,
    answers: child.answers,
    collect: async () => {
      if (gap === null) child.ensure();
      const news = gap !== null ? { ...gapOf(gap), hasMore: true as const } : latest === null ? {} : newsOf(latest);
      gap = null;
      const samples = waiting;
      waiting = [];
      return { samples, ...news };
    },
    startOver: () => {
      inventory = [];
      notes.clear();
    },
    close: child.close,
  };
};

/** Of a GPU that gives nothing. */
const inTrouble = (uuid: string, trouble: string): ObservedGpuNotes => ({
  uuid,
  trouble,
  absent: Object.fromEntries(METRICS.map((metric) => [metric, trouble])),
});
