import type { Cause } from '../core/alert.ts';
import { median } from '../core/statistics.ts';
import type { ParameterValues, RunContext } from './rule.ts';

/** The host's metrics that tell why batches come late, with the words for them. */
const SIGNALS = {
  pressureIo: 'I/O pressure',
  cpuIowait: 'CPU waiting for I/O',
  diskBusy: 'busiest disk',
  workersBlocked: 'dataloader workers blocked',
  cpu: 'CPU',
  workersCpu: 'CPU of each dataloader worker',
} as const;
type Signal = keyof typeof SIGNALS;
const SIGNAL_NAMES: readonly Signal[] = ['pressureIo', 'cpuIowait', 'diskBusy', 'workersBlocked', 'cpu', 'workersCpu'];

/** What limited the input at one moment: the GPU's utilization (%) and the signals in the order of their names. */
export type InputSample = { readonly at: number; readonly utilization: number; readonly signals: readonly Reading[] };
type Reading = number | null;

export type InputCauseCode = 'disk' | 'cpu' | 'workers' | 'other';
export type InputCause = Cause & { readonly code: InputCauseCode };

export const INPUT_CAUSE_PARAMETERS = {
  pressureIo: {
    default: 10,
    minimum: 1,
    maximum: 100,
    unit: '%',
    description: 'Cause disk: median I/O pressure while the GPU idles.',
  },
  cpuIowait: {
    default: 8,
    minimum: 1,
    maximum: 100,
    unit: '%',
    description: 'Cause disk: median CPU time waiting for I/O, together with diskBusy.',
  },
  diskBusy: { default: 80, minimum: 10, maximum: 100, unit: '%', description: 'Cause disk: see cpuIowait.' },
  workersBlocked: {
    default: 0.3,
    minimum: 0.05,
    maximum: 1,
    unit: '',
    description: 'Cause disk: share of the dataloader workers that wait for I/O.',
  },
  cpu: { default: 88, minimum: 50, maximum: 100, unit: '%', description: 'Cause cpu: median CPU while the GPU idles.' },
  workersCpu: {
    default: 88,
    minimum: 50,
    maximum: 100,
    unit: '%',
    description: 'Cause workers: median share of a core that each dataloader worker uses.',
  },
} as const;

/** Keeps of a host sample what the cause needs, to two digits: many of these lie in the saved state. */
export const inputSample = (
  at: number,
  utilization: number,
  host: Readonly<Record<string, number | null>> | null,
): InputSample => ({
  at,
  utilization: hundredth(utilization),
  signals: SIGNAL_NAMES.map((name) => read(host?.[name])),
});

/** Names what held the input up, by the medians of samples in which the GPU waited. */
export const nameInputCause = (
  samples: readonly InputSample[],
  limits: ParameterValues<typeof INPUT_CAUSE_PARAMETERS>,
): InputCause => {
  const readings = mediansOf(samples);
  const reaches = (name: Signal) => (readings[name] ?? -1) >= limits[name];
  const diskWaits = reaches('cpuIowait') && reaches('diskBusy');
  if (reaches('pressureIo') || diskWaits || reaches('workersBlocked')) {
    const named: Signal[] = diskWaits
      ? ['pressureIo', 'cpuIowait', 'diskBusy', 'workersBlocked']
      : ['pressureIo', 'workersBlocked'];
    return cause('disk', 'The disk does not deliver the images fast enough.', readings, named.filter(reaches));
  }
  if (reaches('cpu'))
    return cause('cpu', 'The CPU is the limit: it cannot prepare the batches fast enough.', readings, ['cpu']);
  if (reaches('workersCpu')) {
    const text = 'Each dataloader worker uses a whole core while other cores are free: there are too few workers.';
    return cause('workers', text, readings, ['workersCpu']);
  }
  const tooFew = readings.workersCpu === null ? ', too few workers' : '';
  return cause(
    'other',
    `Neither disk nor CPU explains it: perhaps a network file system, a lock, a full /dev/shm${tooFew} or tiny batches.`,
    readings,
    SIGNAL_NAMES.filter((name) => readings[name] !== null),
  );
};

/** What to do about it, in order. */
export const inputFix = (code: InputCauseCode, run: RunContext): readonly string[] => {
  switch (code) {
    case 'disk':
      return [
        'Train with cache=ram, or with cache=disk when the images do not fit into memory.',
        'Copy the dataset to a local NVMe disk.',
        'Pack the dataset into fewer, larger files.',
      ];
    case 'cpu':
      return [
        'End or move what else uses the CPU, or give the training more cores.',
        'Make the augmentation cheaper: lower mosaic, mixup and copy_paste, or resize the images to imgsz once beforehand.',
        'Decode JPEG faster: with libjpeg-turbo, or on the GPU with nvJPEG.',
      ];
    case 'workers':
      return [`${moreWorkers(run)}.`, 'Keep the workers alive between epochs (persistent_workers=True).'];
    case 'other':
      return [
        'Look whether /dev/shm is full (df -h /dev/shm) and enlarge it: with Docker by --shm-size or --ipc=host.',
        'Time the reading of a few images: a dataset on NFS or another network file system may hang; copy it to a local disk.',
        `${moreWorkers(run)}: whether each has a core's worth of work already is seen in top.`,
        'Train with pinned memory (PIN_MEMORY=true), and with a larger batch if batches take only milliseconds.',
      ];
  }
};

const moreWorkers = ({ args }: RunContext): string =>
  `Raise workers ${typeof args?.workers === 'number' ? `from ${args.workers} ` : ''}up to the number of CPU cores`;

type Readings = Readonly<Record<Signal, Reading>>;

const mediansOf = (samples: readonly InputSample[]): Readings => {
  const of = (name: Signal): Reading => {
    const column = SIGNAL_NAMES.indexOf(name);
    const known = samples.map((sample) => sample.signals[column] ?? null).filter((value) => value !== null);
    return known.length > 0 ? median(known) : null;
  };
  return {
    pressureIo: of('pressureIo'),
    cpuIowait: of('cpuIowait'),
    diskBusy: of('diskBusy'),
    workersBlocked: of('workersBlocked'),
    cpu: of('cpu'),
    workersCpu: of('workersCpu'),
  };
};

/** Less sure where a signal is missing that could have said otherwise, and where nothing speaks for a cause. */
const cause = (code: InputCauseCode, text: string, readings: Readings, named: readonly Signal[]): InputCause => {
  const missing = SIGNAL_NAMES.filter((name) => readings[name] === null);
  const sure = code === 'other' ? 0.5 : 0.9;
  return {
    code,
    text,
    confidence: missing.length > 0 ? sure - 0.2 : sure,
    signals: named.map((name) => `${SIGNALS[name]} ${shown(name, readings[name])}`),
    missing: [...missing.map((name) => SIGNALS[name]), 'phases of the epoch (console log)'],
  };
};

const shown = (name: Signal, value: Reading): string =>
  `${Math.round((value ?? 0) * (name === 'workersBlocked' ? 100 : 1))} %`;

const read = (value: number | null | undefined): Reading =>
  value === null || value === undefined ? null : hundredth(value);
const hundredth = (value: number): number => Math.round(value * 100) / 100;
