import type { StartEvent } from '../../core/trace.ts';

/** What a line tells of the process that writes it. */
export type ProcessLine = {
  /** The line is the first of another process (or of another training of the same one). */
  readonly isNew: boolean;
  /** The run folder that the line names, as printed: often relative to a folder that nobody knows. */
  readonly folder: string | null;
  /** The training begins now: what was to be learnt of it has been said. */
  readonly begins: boolean;
};

/** Follows one training from its header to its last words. */
export type ConsoleProcess = {
  readonly take: (line: string) => ProcessLine;
  /** The event for what was learnt; null when it was given before, or nothing says that a process began. */
  readonly start: () => StartEvent | null;
  /** What is to be added to a console's epoch number to count as the result file does. */
  readonly epochShift: () => number;
  /** MiB in one `G` of the GPU_mem column. */
  readonly mibPerG: () => number;
  /** All epochs are done; what follows is the final validation. */
  readonly isCompleted: () => boolean;
  /** The last line of a training that went well was seen. */
  readonly isSaved: () => boolean;
};

type Version = { readonly name: string; readonly version: string };

const ULTRALYTICS = /^Ultralytics (?:YOLOv?)?(\d+\.\d+\.\S+)\s.*\b(?:Python|torch)-/;
const YOLOV5 = /^YOLOv5 +(?:🚀 *)?(\S+) .*\btorch[- ]/u;
/** YOLOv7 calls itself YOLOR, YOLOv9 just YOLO. */
const YOLOV7 = /^YOLOR +(?:🚀 *)?(\S+) .*\btorch[- ]/u;
const YOLOV9 = /^YOLO +(?:🚀 *)?(\S+) .*\btorch[- ]/u;
const HEADERS: readonly (readonly [string, RegExp])[] = [
  ['ultralytics', ULTRALYTICS],
  ['yolov5', YOLOV5],
  ['yolov7', YOLOV7],
  ['yolov9', YOLOV9],
];

const ARGS = /^(?:yolo[\\/])?engine[\\/]trainer: |^(?:\w+[\\/])?train: (?:weights|model)=/;
const SUMMARY = /^(.{1,100}?) summary: \d+ layers, ([\d,]{1,15}) parameters/;
const IMAGES = [
  /^train: Scanning .*?\.\.\. (\d{1,12}) images/,
  /^train: .*\bfound (\d{1,12}) images in \d+ classes/,
  /^train: Scanning .*?\.\.\. (\d{1,12}) found,/,
];
const STARTING = /^Starting training for (?:(\d{1,9}) epochs|[\d.]+ hours)\.\.\./;
const COMPLETED = /^\d+ epochs completed in /;
const FOLDER = /^(?:Logging results to|Results saved to) (\S.*)$/;

/** First version of Ultralytics whose result file counts epochs from 1 as its console does (PR #4491). */
const COUNTS_FROM_ONE = [8, 0, 160];
/** From about here GPU_mem is in GiB; before, and in YOLOv5, in units of 10⁹ bytes. */
const COUNTS_IN_GIB = [8, 3, 70];
const MIB = 2 ** 20;

/** Nothing seen yet: a log may begin in the middle of a training. */
export const createConsoleProcess = (): ConsoleProcess => {
  let version: Version | null = null;
  let seen = nothingSeen();

  const takeHeader = (found: Version): boolean => {
    const isFinalValidation = seen.completed && !seen.saved && !seen.finalHeader;
    if (isFinalValidation && found.name === 'ultralytics') {
      seen.finalHeader = true;
      return false;
    }
    const isNew = seen.header || seen.started || seen.completed;
    if (isNew) seen = nothingSeen();
    seen.header = true;
    version = found;
    seen.facts.framework = `${found.name} ${found.version}`.slice(0, 256);
    return isNew;
  };

  const takeArgs = (line: string): boolean => {
    const isNew = seen.args || seen.started || seen.completed;
    if (isNew) seen = nothingSeen();
    seen.args = true;
    const model = argument(line, 'model') ?? argument(line, 'weights');
    if (model !== null && model !== '' && model !== 'None') seen.facts.model = model;
    const task = argument(line, 'task');
    if (task !== null) seen.facts.task = task;
    const epochs = integer(argument(line, 'epochs'));
    if (epochs !== null && epochs > 0) seen.facts.epochs = epochs;
    const batchSize = integer(argument(line, 'batch') ?? argument(line, 'batch_size'));
    if (batchSize !== null && batchSize >= -1) seen.facts.batchSize = batchSize;
    return isNew;
  };

  const takeFacts = (line: string): void => {
    const [, model, parameters] = SUMMARY.exec(line) ?? [];
    if (parameters !== undefined && seen.facts.parameters === undefined) {
      seen.facts.parameters = Number(parameters.replaceAll(',', ''));
      if (model !== 'Model' && model !== undefined) seen.facts.model ??= model;
    }
    if (!line.startsWith('train: ')) return;
    for (const pattern of IMAGES) {
      const images = pattern.exec(line)?.[1];
      if (images !== undefined) seen.facts.images = Number(images);
    }
  };

  return {
    take: (line) => {
      const header = headerOf(line);
      if (header !== null) return { isNew: takeHeader(header), folder: null, begins: false };
      if (ARGS.test(line)) return { isNew: takeArgs(line), folder: argument(line, 'save_dir'), begins: false };
      const starting = STARTING.exec(line);
      if (starting !== null) {
        if (starting[1] !== undefined && Number(starting[1]) > 0) seen.facts.epochs = Number(starting[1]);
        seen.started = true;
        return { isNew: false, folder: null, begins: true };
      }
      if (COMPLETED.test(line)) seen.completed = true;
      else if (!seen.completed) takeFacts(line);
      const folder = FOLDER.exec(line)?.[1] ?? null;
      if (folder !== null && line.startsWith('Results')) seen.saved = seen.completed;
      return { isNew: false, folder, begins: false };
    },
    start: () => {
      if (seen.said || !(seen.started || seen.header || seen.args)) return null;
      seen.said = true;
      return { t: null, kind: 'start', ...seen.facts };
    },
    epochShift: () => (version?.name === 'ultralytics' && isBefore(version.version, COUNTS_FROM_ONE) ? -1 : 0),
    mibPerG: () =>
      version === null || (version.name === 'ultralytics' && !isBefore(version.version, COUNTS_IN_GIB))
        ? 1024
        : 1e9 / MIB,
    isCompleted: () => seen.completed,
    isSaved: () => seen.saved,
  };
};

type Facts = { -readonly [Name in keyof Omit<StartEvent, 't' | 'kind'>]: StartEvent[Name] };

type Seen = {
  header: boolean;
  args: boolean;
  started: boolean;
  completed: boolean;
  saved: boolean;
  /** The header that Ultralytics prints again before the final validation. */
  finalHeader: boolean;
  /** The start event was given. */
  said: boolean;
  readonly facts: Facts;
};

const nothingSeen = (): Seen => ({
  header: false,
  args: false,
  started: false,
  completed: false,
  saved: false,
  finalHeader: false,
  said: false,
  facts: {},
});

const headerOf = (line: string): Version | null => {
  if (!/^(?:Ultralytics|YOLO)/.test(line)) return null;
  for (const [name, pattern] of HEADERS) {
    const version = pattern.exec(line)?.[1];
    if (version !== undefined) return { name, version };
  }
  return null;
};

/** The value of `name=value, ` in a dump of arguments; values may hold commas, so it goes to the next name. */
const argument = (line: string, name: string): string | null => {
  const from = line.search(new RegExp(`[ ,]${name}=`));
  if (from === -1) return null;
  const value = line.slice(from + name.length + 2);
  const to = value.search(/, \w+=/);
  return (to === -1 ? value : value.slice(0, to)).trim().slice(0, 1024);
};

const integer = (text: string | null): number | null =>
  text !== null && /^-?\d{1,9}$/.test(text) ? Number(text) : null;

const isBefore = (version: string, limit: readonly number[]): boolean => {
  const parts = version.split('.').map((part) => Number.parseInt(part, 10));
  for (const [place, wanted] of limit.entries()) {
    const part = parts[place] ?? 0;
    if (part !== wanted) return part < wanted;
  }
  return false;
};
