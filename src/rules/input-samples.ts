import type { InputSample } from './input-cause.ts';
import type { IdleRun } from './starvation.ts';

/** The samples that are kept to name the cause of a stall, oldest first. */
export type InputSamples = {
  recent: InputSample[];
  /** Those in which the GPU idled in the middle of an epoch. */
  idle: InputSample[];
};

const KEPT_RECENT = 120;
const KEPT_IDLE = 60;
const IDLE_FOR_MS = 300_000;
const FEWEST_IDLE = 4;
const MIXED_RECENT = 90;
const MIXED_ABOVE = 8;
const FEWEST_MIXED = 10;

/** Keeps a sample; `run` is the idle run that goes on. One that turns out to be a boundary between epochs tells nothing. */
export const keepInputSample = (
  samples: InputSamples,
  sample: InputSample,
  { idle, run, rowWritten }: { readonly idle: boolean; readonly run: IdleRun | null; readonly rowWritten: boolean },
): void => {
  samples.recent.push(sample);
  if (samples.recent.length > KEPT_RECENT) samples.recent.shift();
  if (run === null) return;
  if (rowWritten) samples.idle = samples.idle.filter(({ at }) => at < run.sinceAt);
  if (idle && !run.inBoundary) samples.idle.push(sample);
  if (samples.idle.length > KEPT_IDLE) samples.idle.shift();
};

/** The samples that tell why the GPU idles: those of the pauses, or, if they are too few, the lowest of late. */
export const samplesOfPauses = (
  { idle, recent }: InputSamples,
  at: number,
  lowBelow: number,
): readonly InputSample[] => {
  const inPauses = idle.filter((sample) => sample.at > at - IDLE_FOR_MS);
  if (inPauses.length >= FEWEST_IDLE) return inPauses;
  const low = recent.filter(({ utilization }) => utilization < lowBelow);
  return low.length > 0 ? low.slice(-KEPT_IDLE) : recent.slice(-20);
};

/** The samples that tell why the GPU does less without idling: where batches come late, a sample is work and waiting mixed. */
export const samplesOfSlowWork = ({ recent }: InputSamples, lowBelow: number): readonly InputSample[] => {
  const low = recent.slice(-MIXED_RECENT).filter(({ utilization }) => utilization < lowBelow);
  const mixed = low.filter(({ utilization }) => utilization >= MIXED_ABOVE);
  return mixed.length >= FEWEST_MIXED ? mixed : low;
};
