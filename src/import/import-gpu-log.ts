import type { GpuLogRow, GpuLogTaken } from '../core/gpu-log.ts';
import { readFileLines } from './file-lines.ts';
import { GpuLogError } from './gpu-log-error.ts';
import { createGpuLogReader } from './gpu-log-lines.ts';

/** One GPU of a log. */
export type LoggedGpu = { readonly gpu: GpuLogRow['gpu']; readonly name: string | null; readonly samples: number };

/** What an import came to. */
export type ImportedLog = GpuLogTaken & {
  /** In order of appearance. */
  readonly gpus: readonly LoggedGpu[];
  /** When the first and the last sample were taken. */
  readonly period: { readonly firstAt: number; readonly lastAt: number };
  readonly passedOver: readonly PassedOver[];
};

/** Lines that nothing was taken of, for one and the same reason. */
export type PassedOver = { readonly why: string; readonly lines: number; readonly firstLine: number };

/** As many as a body of the service's route has room for, several times over. */
const ROWS_A_BATCH = 1000;

/**
 * Reads a log and hands its rows over, some at a time and in order. Throws {@link GpuLogError} when it is none, in which
 * case what stood before the line at fault has been handed over.
 */
export const importGpuLog = async ({
  file,
  zone,
  take,
  onProgress,
}: {
  readonly file: string;
  readonly zone: string;
  readonly take: (rows: readonly GpuLogRow[]) => Promise<GpuLogTaken>;
  readonly onProgress: (done: { readonly read: number; readonly size: number; readonly samples: number }) => void;
}): Promise<ImportedLog> => {
  const readLine = createGpuLogReader(zone);
  const gpus = new Map<GpuLogRow['gpu'], { name: string | null; samples: number }>();
  const passedOver = new Map<string, { lines: number; firstLine: number }>();
  let [taken, known] = [0, 0];
  let [firstAt, lastAt] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  let rows: GpuLogRow[] = [];

  const passOver = (why: string, line: number) => {
    const before = passedOver.get(why) ?? { lines: 0, firstLine: line };
    passedOver.set(why, { ...before, lines: before.lines + 1 });
  };
  const handOver = async () => {
    if (rows.length === 0) return;
    const came = await take(rows);
    taken += came.taken;
    known += came.known;
    rows = [];
  };

  for await (const { number, lines, isCutOff, read, size } of readFileLines(file)) {
    for (const [index, line] of lines.entries()) {
      const found = readLine(line, number + index);
      if ('says' in found) continue;
      if ('passedOver' in found) passOver(found.passedOver, number + index);
      // Half a number is a number too.
      else if (isCutOff && index === lines.length - 1) passOver('the last one, which has no end', number + index);
      else {
        const { row, name } = found;
        rows.push(row);
        const gpu = gpus.get(row.gpu) ?? { name, samples: 0 };
        gpus.set(row.gpu, { ...gpu, samples: gpu.samples + 1 });
        firstAt = Math.min(firstAt, row.at);
        lastAt = Math.max(lastAt, row.at);
        if (rows.length === ROWS_A_BATCH) await handOver();
      }
    }
    onProgress({ read, size, samples: taken + known });
  }
  await handOver();
  if (gpus.size === 0) throw new GpuLogError(`${file}: ${emptiness(passedOver)}`);
  return {
    taken,
    known,
    gpus: [...gpus].map(([gpu, about]) => ({ gpu, ...about })),
    period: { firstAt, lastAt },
    passedOver: [...passedOver].map(([why, about]) => ({ why, ...about })),
  };
};

const emptiness = (passedOver: ReadonlyMap<string, { lines: number; firstLine: number }>): string => {
  const [first] = passedOver;
  if (first === undefined) return 'holds no line of nvidia-smi --query-gpu=timestamp,… --format=csv';
  const [why, { lines, firstLine }] = first;
  return `none of its lines could be taken; ${lines} from line ${firstLine} on: ${why}`;
};
