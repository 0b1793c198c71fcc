import type { Batch } from '../../core/batch.ts';
import type { Clock } from '../../core/clock.ts';
import type { Log } from '../../core/log.ts';
import type { Collector } from '../../core/ports.ts';
import { createGpuRowParser } from './csv.ts';
import { createGpuRounds, type GpuRound } from './rounds.ts';
import { createSmiChild } from './smi-child.ts';

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

/** Silence after which the child counts as hung: five periods, and never so short that a busy machine looks like one. */
const SILENT_PERIODS = 5;
const SILENCE_AT_LEAST_MS = 1000;
/** A driver that is well again is to be seen within 5 s. */
const RETRY_WITHIN_MS = 4000;
/** What a look that never comes may leave waiting. */
const MAX_WAITING_ROUNDS = 600;

/**
 * GPU samples from one long-lived `nvidia-smi --query-gpu … -lms N`: 16 to 29 times cheaper than a start each second,
 * and it keeps the driver initialised. A finished round of all GPUs wakes the runner. `collect` returns what came since
 * the last look (nothing while the program starts) and throws why the child ended.
 */
export const createNvidiaSmiCollector = ({
  path,
  fields,
  intervalMs,
  clock,
  log,
}: NvidiaSmiOptions): NvidiaSmiCollector => {
  const parseRow = createGpuRowParser(fields);
  let rounds = createGpuRounds();
  let waiting: GpuRound[] = [];
  let inventory = '';
  let wake = () => {};
  const said = new Set<string>();
  const sayOnce = (key: string, say: () => void): void => {
    if (said.has(key) || said.size >= 1000) return;
    said.add(key);
    say();
  };

  const child = createSmiChild({
    command: [
      path,
      `--query-gpu=${fields.join(',')}`,
      '--format=csv,noheader,nounits',
      '-lms',
      String(Math.round(intervalMs)),
    ],
    silenceMs: Math.max(SILENT_PERIODS * intervalMs, SILENCE_AT_LEAST_MS),
    onStart: () => {
      rounds = createGpuRounds();
      inventory = '';
    },
    onLine: (line) => {
      const row = parseRow(line);
      if (row === null) return line.trim() === '';
      for (const [metric, reason] of Object.entries(row.reasons)) {
        const { uuid } = row.gpu;
        sayOnce(`${uuid} ${metric} ${reason}`, () =>
          log.info({ gpu: uuid, metric, reason }, 'GPU metric is not known'),
        );
      }
      const ended = rounds.add(row, clock.now());
      if (ended.length === 0) return true;
      waiting = [...waiting, ...ended].slice(-MAX_WAITING_ROUNDS);
      wake();
      return true;
    },
    onRemark: (text) => sayOnce(text, () => log.warn({ text }, 'nvidia-smi reports a problem')),
  });

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
      child.ensure();
      const came = waiting;
      waiting = [];
      const gpus = came.at(-1)?.rows.map((row) => row.gpu) ?? [];
      const batch: Batch = { samples: came.flatMap(samplesOf) };
      if (gpus.length === 0 || JSON.stringify(gpus) === inventory) return batch;
      inventory = JSON.stringify(gpus);
      return { ...batch, gpus };
    },
    close: child.close,
  };
};

const samplesOf = ({ at, rows }: GpuRound) =>
  rows.map(({ gpu, values }) => ({ subject: `gpu:${gpu.uuid}`, at, values }));
