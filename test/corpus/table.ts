import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { runFamily } from '../../src/core/run-family.ts';
import { type LookedAt, lookOnce } from '../one-look.ts';
import { type Recorded, readManifest } from './manifest.ts';
import { FOLDER } from './recordings.ts';

/** What is said of one recording, by the product or by people; `null`: they do not say it. */
export type Says = {
  readonly family: string | null;
  readonly task: string | null;
  readonly framework: string | null;
  /** Of the first epoch, as the file counts: 0 or 1. */
  readonly base: string | null;
  readonly rows: string | null;
  readonly keptOut: string | null;
  readonly attempts: string | null;
  readonly state: string | null;
  readonly reason: string | null;
  /** The data row, counted from 1, after which EarlyStopping saw no better one. */
  readonly best: string | null;
};

/** One recording: what the product says of it, and where the manifest says something else. */
export type Line = {
  readonly recorded: Recorded;
  readonly ours: Says;
  readonly differences: readonly Difference[];
};

/** `because`: why ours is right; null: it is not known to be. */
export type Difference = {
  readonly column: keyof Says;
  readonly ours: string | null;
  readonly manifest: string | null;
  readonly because: string | null;
};

/** Where the manifest says something else, or nothing, and we know better: what we say, and why. */
export const KNOWN_BETTER: Readonly<Record<string, Partial<Says> & { readonly because: string }>> = {
  '014': {
    framework: null,
    state: 'stopped',
    reason: 'no_new_epoch',
    because:
      'it has no arguments: YOLOv5, v7 and v9 all write this header, and how many epochs were planned is not known',
  },
  '030': { task: 'pose', because: 'it trains key points: opt.yaml has kpt_label, the file two columns for it' },
  '031': { framework: 'yolov5', because: 'YOLOv5 before its csv wrote the same columns: opt.yaml has yolov5s.pt' },
  '065': {
    state: 'early_stopped',
    reason: 'patience',
    best: '60',
    because: 'the manifest tells of two trainings; the second has patience 10, its best is epoch 25 and its last 35',
  },
  '100': {
    state: 'finished',
    reason: 'all_epochs_done',
    because: 'the manifest tells of two trainings; the second has 100 epochs of 100',
  },
  '103': { framework: 'ultralytics 8.4.14', because: 'its console log names the version' },
};

/** The columns of the table, in their order. */
export const COLUMNS = [
  'family',
  'task',
  'framework',
  'base',
  'rows',
  'keptOut',
  'attempts',
  'state',
  'reason',
  'best',
] as const satisfies readonly (keyof Says)[];

/** The console logs that belong to a recording: see the README of the recordings. */
const LOG_OF: Readonly<Record<string, string>> = { '006': 'C18', '103': 'C12' };

/** When the recordings are said to have been written, and looked at: all of them ended long ago. */
const WRITTEN_AT = Date.UTC(2025, 8, 9);
const LOOKED_AT = Date.UTC(2026, 0, 1);
const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;

/** Lays the recordings out as the run folders that they were and looks at each as the product does at its first sight. */
export const corpusTable = async (): Promise<readonly Line[]> => {
  const root = mkdtempSync(join(tmpdir(), 'signalbox-corpus-'));
  try {
    const manifest = readManifest();
    const folders = manifest.map((recorded) => layOut(root, recorded));
    const seen = await lookOnce(folders, LOOKED_AT);
    return manifest.flatMap((recorded, index) => {
      const looked = seen[index];
      return looked === undefined ? [] : lineOf(recorded, looked);
    });
  } finally {
    rmSync(root, { recursive: true });
  }
};

/** Returns the run folder. Its arguments are the oldest file, its console log the newest. */
const layOut = (root: string, { file, number, path }: Recorded): string => {
  const folder = join(root, number, dirname(path));
  mkdirSync(folder, { recursive: true });
  const place = (from: string, name: string, at: number) => {
    copyFileSync(from, join(folder, name));
    utimesSync(join(folder, name), at / 1000, at / 1000);
  };
  const kind = file.slice(-3);
  for (const args of ['args.yaml', 'opt.yaml', 'hyp.yaml']) {
    const from = join(FOLDER, `${file.slice(0, -kind.length)}${args}`);
    if (existsSync(from)) place(from, args, WRITTEN_AT - 10 * DAY_MS);
  }
  place(join(FOLDER, file), `results.${kind}`, WRITTEN_AT);
  const log = readdirSync(join(FOLDER, 'console')).find((name) => name.startsWith(`${LOG_OF[number]}_`));
  if (log !== undefined) place(join(FOLDER, 'console', log), 'train.log', WRITTEN_AT + MINUTE_MS);
  return folder;
};

const lineOf = (recorded: Recorded, looked: LookedAt): Line => {
  const ours = productSays(looked);
  const manifest = manifestSays(recorded);
  const better = KNOWN_BETTER[recorded.number];
  const differences = COLUMNS.flatMap((column): Difference[] => {
    if (ours[column] === manifest[column]) return [];
    const isKnown = better !== undefined && better[column] === ours[column];
    return [{ column, ours: ours[column], manifest: manifest[column], because: isKnown ? better.because : null }];
  });
  return { recorded, ours, differences };
};

const productSays = ({ run, rows }: LookedAt): Says => {
  const [first] = rows;
  const { family } = runFamily({
    columns: Object.keys(first?.metrics ?? {}),
    hasTime: typeof first?.elapsedS === 'number',
    firstEpoch: first?.epoch ?? null,
    args: run.args,
    path: run.path,
  });
  const best = /^no better epoch than (\d+) /.exec(run.stateEvidence[0] ?? '')?.[1];
  return {
    family,
    task: run.task,
    framework: run.framework,
    base: said(run.epochBase),
    rows: said(rows.length),
    keptOut: said(run.rowsKeptOut),
    attempts: said(run.attempts),
    state: run.state,
    reason: run.stateReason,
    best: best === undefined ? null : said(1 + rows.findLastIndex(({ epoch }) => epoch === Number(best))),
  };
};

const manifestSays = (recorded: Recorded): Says => {
  const [family, framework, task] = recorded.kind.split(' ');
  const [state, reason] = recorded.ending?.split(' ') ?? [];
  return {
    family: family ?? null,
    framework: framework ?? null,
    task: task ?? null,
    base: said(recorded.epochBase),
    rows: said(recorded.rows),
    keptOut: said(recorded.keptOut),
    attempts: said(1 + recorded.restarts.length),
    state: state ?? null,
    reason: reason ?? null,
    best: said(recorded.bestRow),
  };
};

const said = (value: number | null): string | null => (value === null ? null : String(value));
