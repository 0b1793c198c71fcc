// Console output in the shapes of the trainers, made here: the two styles of bars, tables, headers.
import { createConsoleParser } from '../../../src/collectors/console/parser.ts';
import type { RunEvent } from '../../../src/core/trace.ts';

/** Everything that a whole log says. */
export const eventsOf = (log: string): readonly RunEvent[] => {
  const parser = createConsoleParser();
  return [...parser.push(Buffer.from(log)), ...parser.rest()].map(({ event }) => event);
};

/** The events of one kind. */
export const only = <Kind extends RunEvent['kind']>(kind: Kind, events: readonly RunEvent[]) =>
  events.filter((event): event is Extract<RunEvent, { kind: Kind }> => event.kind === kind);

/** The codes of lines, in order. */
export const codesOf = (log: string): readonly string[] => only('log', eventsOf(log)).flatMap(({ code }) => code ?? []);

export const DETECT = ['box_loss', 'cls_loss', 'dfl_loss'] as const;

/** The heading of training bars. */
export const barHeader = (losses: readonly string[] = DETECT): string =>
  `\n${['Epoch', 'GPU_mem', ...losses, 'Instances', 'Size'].map((cell) => cell.padStart(11)).join('')}\n`;

type Redraw = {
  readonly epoch: string;
  readonly losses: readonly (number | string)[];
  readonly done: number;
  readonly total: number;
  readonly memory?: string;
  readonly rate?: string;
};

const columns = ({ epoch, losses, memory = '9.91G' }: Redraw): string =>
  [epoch, memory, ...losses, 4, 640].map((cell) => String(cell).padStart(11)).join('');

const percent = ({ done, total }: Redraw): number => Math.floor((100 * done) / total);

/** One state of a tqdm bar, as YOLOv5 and Ultralytics to 8.3.185 draw it. */
export const tqdmBar = (redraw: Redraw): string => {
  const full = '█'.repeat(Math.floor(percent(redraw) / 10));
  const { done, total, rate = '2.51it/s' } = redraw;
  return `\r${columns(redraw)}: ${String(percent(redraw)).padStart(3)}%|${full.padEnd(10)}| ${done}/${total} [00:52<00:00,  ${rate}]`;
};

/** One state of the bar that Ultralytics has drawn since 8.3.186. */
export const ownBar = (redraw: Redraw): string => {
  const full = '━'.repeat(Math.floor(percent(redraw) / 9));
  const { done, total, rate = '4.7it/s' } = redraw;
  return `\r\x1b[K${columns(redraw)}: ${percent(redraw)}% ${full.padEnd(12, '─')} ${done}/${total} ${rate} 1:02<1.5s`;
};

export const valBar = (done: number, total: number): string =>
  `\r                 Class     Images  Instances      Box(P          R      mAP50  mAP50-95): ${String(Math.floor((100 * done) / total)).padStart(3)}%|${'█'.repeat(10)}| ${done}/${total} [00:01<00:00,  3.34it/s]`;

/** A row of the table of metrics by class. */
export const classRow = (name: string, ...cells: readonly (number | string)[]): string =>
  `${name.padStart(22)}${cells.map((cell) => String(cell).padStart(11)).join('')}\n`;

/** What Ultralytics prints before the first epoch. */
export const opening = ({
  version = '8.3.199',
  folder = 'runs/detect/train',
  epochs = 3,
  model = 'yolo11n.pt',
}: {
  readonly version?: string;
  readonly folder?: string;
  readonly epochs?: number;
  readonly model?: string;
} = {}): string =>
  [
    `Ultralytics ${version} 🚀 Python-3.11.13 torch-2.4.1+cu121 CUDA:0 (NVIDIA A100-PCIE-40GB, 40326MiB)`,
    `\x1b[34m\x1b[1mengine/trainer: \x1b[0mtask=detect, mode=train, model=${model}, data=a, b.yaml, epochs=${epochs}, batch=16, classes=[1, 2], save_dir=${folder}, seed=0`,
    '',
    'YOLO11n summary: 181 layers, 2,590,620 parameters, 2,590,620 gradients, 6.4 GFLOPs',
    '',
    `\x1b[34m\x1b[1mtrain: \x1b[0mScanning /data/labels/train.cache... 700 images, 3 backgrounds, 0 corrupt: 100%|${'█'.repeat(10)}| 703/703 [00:00<?, ?it/s]`,
    `\x1b[34m\x1b[1mval: \x1b[0mScanning /data/labels/val.cache... 90 images, 0 backgrounds, 0 corrupt: 100%|${'█'.repeat(10)}| 90/90 [00:00<?, ?it/s]`,
    'Using 8 dataloader workers',
    `Logging results to \x1b[1m${folder}\x1b[0m`,
    `Starting training for ${epochs} epochs...`,
    '',
  ].join('\n');

/** One epoch of `total` batches with the mean loss of every redraw, and its validation. */
export const epochOf = (
  epoch: number,
  { epochs = 3, total = 100, bar = ownBar }: { epochs?: number; total?: number; bar?: typeof ownBar } = {},
): string => {
  const redraws = Array.from({ length: total + 1 }, (_, done) =>
    bar({
      epoch: `${epoch}/${epochs}`,
      losses: DETECT.map((_, place) => (place + 1 / (done + 1)).toPrecision(4)),
      done,
      total,
    }),
  );
  return `${barHeader()}${redraws.join('')}\n${valBar(0, 4)}${valBar(4, 4)}\n${classRow('all', 90, 131, 0.9, 0.8, 0.7, 0.6)}`;
};
