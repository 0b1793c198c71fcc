import type { ReadLimits, StoreReader } from './ports.ts';
import { intersection, type Range } from './range.ts';
import type { Run } from './run.ts';
import { RUN_GPU_METRICS, type RunGpu, USUAL_BELOW, type UsedGpu } from './run-gpu.ts';
import { type RunWindow, runWindows, type WindowChoice } from './run-windows.ts';

/** What is asked; `below` is utilization, %. */
export type RunGpuQuery = WindowChoice & { readonly below: number; readonly now: number };

/** By GPU and in order of time. `absent` says by name why a part of the run cannot be told: `epoch 3`, `phase`. */
export type RunGpuUse = { readonly items: readonly RunGpu[]; readonly absent: Readonly<Record<string, string>> };

/** More than a run has. */
const MOST_ROWS = 1_000_000;

type Reader = Pick<
  StoreReader,
  'listAttempts' | 'listEpochs' | 'listPhases' | 'listRunGpus' | 'windowStatistics' | 'finestStep' | 'runStatistics'
>;

/**
 * The use of a run's GPUs by the parts of its time, `gpu` being the stable subject. It is reckoned from the samples that
 * are kept; where only rollups are left, from what was kept at the run's end, if that is what is asked for, else from
 * the rollups. Rejects as {@link StoreReader.windowStatistics} does.
 */
export const readRunGpuUse = async (
  store: Reader,
  run: Run,
  query: RunGpuQuery,
  limits?: ReadLimits,
): Promise<RunGpuUse> => {
  const times = {
    run,
    attempts: store.listAttempts(run.id),
    rows: store.listEpochs(run.id, { limit: MOST_ROWS }).items,
    phases: store.listPhases(run.id, { from: 0, to: Number.MAX_SAFE_INTEGER }),
    now: query.now,
  };
  const { windows, ...unknown } = runWindows(times, query);
  const absent: Record<string, string> = { ...unknown.absent };
  const gpus = store.listRunGpus(run.id).map((gpu) => {
    const log = wholeLog(gpu, windows, run, query);
    if (log !== null) absent[gpu.subject] = 'its log is of another time than the files of the run: all of it is told';
    return { ...gpu, windows: log ?? windows };
  });
  const kept = isAsKept(query) ? store.runStatistics(run.id, query.by) : null;
  if (kept !== null && gpus.some((gpu) => isThinned(store, gpu))) return { items: kept, absent };

  const items: RunGpu[] = [];
  for (const { subject: gpu, windows } of gpus) {
    if (windows.length === 0) continue;
    const asked = { metrics: RUN_GPU_METRICS, windows: windows.map(({ ranges }) => ranges), below: query.below };
    const found = await store.windowStatistics(gpu, asked, limits);
    for (const [index, statistics] of found.entries()) {
      const { ranges = [], ...window } = windows[index] ?? { key: '' };
      items.push({ ...window, gpu, ...extentOf(ranges), ...statistics });
    }
  }
  return { items, absent };
};

/** What is asked for is what is kept at the end of a run. */
const isAsKept = ({ by, epochs, phase, below }: RunGpuQuery): boolean =>
  by !== 'day' && epochs === undefined && phase === undefined && below === USUAL_BELOW;

const isThinned = (
  store: Reader,
  { subject, windows }: UsedGpu & { readonly windows: readonly RunWindow[] },
): boolean => windows.length > 0 && store.finestStep(subject, extentOf(windows.flatMap(({ ranges }) => ranges))) > 0;

/**
 * A log that was imported is the run's, whatever its time: the files of a copied run may tell another one. Where the two
 * have nothing in common, the whole run, and its days, are the whole log. Null: this is no such log.
 */
const wholeLog = (
  { firstAt, lastAt }: UsedGpu,
  ofRun: readonly RunWindow[],
  run: Run,
  query: RunGpuQuery,
): readonly RunWindow[] | null => {
  const { by, epochs, phase } = query;
  if (firstAt === null || lastAt === null || epochs !== undefined || phase !== undefined) return null;
  if (by !== 'run' && by !== 'day') return null;
  const log = [{ from: firstAt, to: lastAt + 1 }];
  if (ofRun.some(({ ranges }) => intersection(ranges, log).length > 0)) return null;
  const logged = { id: run.id, state: 'finished', startedAt: firstAt, endedAt: lastAt + 1 } as const;
  return runWindows({ run: logged, attempts: [], rows: [], phases: [], now: query.now }, query).windows;
};

const extentOf = (ranges: readonly Range[]): Range => ({
  from: Math.min(...ranges.map(({ from }) => from)),
  to: Math.max(...ranges.map(({ to }) => to)),
});
