import type { LogCode, RunEvent } from '../../core/trace.ts';
import { type Bar, parseBar, type TrainColumns } from './bar.ts';
import { createClassTable } from './classes.ts';
import { codeOf } from './codes.ts';
import { createExceptionReader, type ExceptionLine } from './exceptions.ts';
import { createConsoleProcess } from './process.ts';
import { createRedraws } from './redraws.ts';
import { readable } from './segments.ts';
import { createSteps, parseBarHeader } from './steps.ts';

/** Who hears what a console says. */
export type ConsoleListener = {
  readonly say: (event: RunEvent) => void;
  /** What is said from now on belongs to another process. */
  readonly beginProcess: () => void;
  /** The run folder of the process, as printed. */
  readonly nameFolder: (folder: string) => void;
};

/** Longest line that is kept. */
const MAX_LINE = 4096;
const RANK = /^\[rank\d+\]: ?/;

/** Understands the segments of one console log, one after another. */
export const createConsoleReader = ({ say, beginProcess, nameFolder }: ConsoleListener) => {
  const training = createConsoleProcess();
  const redraws = createRedraws();
  const exceptions = createExceptionReader();
  const table = createClassTable();
  const steps = createSteps();
  /** What the training was seen to do last, in the numbers of the result file. */
  let doing: { readonly phase: 'train' | 'val'; readonly epoch: number; readonly done: number } | null = null;
  let saidBar = '';
  let earlyStop: string | null = null;

  const sayStart = () => {
    const start = training.start();
    if (start !== null) say(start);
  };

  const sayLine = (line: string, code: LogCode | null) => {
    say({ t: null, kind: 'log', line: line.slice(0, MAX_LINE), ...(code !== null && { code }) });
  };

  const sayTable = () => {
    const metrics = table.close();
    if (metrics === null) return;
    const isFinal = training.isCompleted();
    const epoch = isFinal ? null : (doing?.epoch ?? null);
    say({ t: null, kind: 'classes', epoch, ...(isFinal && { final: true }), ...metrics });
  };

  const takeTraining = (bar: Bar, columns: TrainColumns, raw: string) => {
    const epoch = Math.max(0, columns.epoch + training.epochShift());
    const done = bar.done ?? doing?.done ?? 0;
    exceptions.forget();
    sayStart();
    if (doing?.phase !== 'train' || doing.epoch !== epoch || done < doing.done) {
      say({ t: null, kind: 'phase', epoch, phase: 'train' });
    }
    doing = { phase: 'train', epoch, done };
    if (bar.done === null || bar.total === null) return;
    const reservedMib = Math.round(columns.memory * training.mibPerG());
    const step = steps.take({
      epoch,
      done,
      total: bar.total,
      stepS: bar.stepS,
      reservedMib: reservedMib > 0 ? reservedMib : null,
      values: columns.values,
    });
    if (step !== null) say(step);
    redraws.remember(raw, `${columns.epoch}/${columns.epochs}`, done, bar.total, steps.nextKept());
  };

  const takeBar = (bar: Bar, text: string, raw: string) => {
    redraws.forget();
    if (bar.of === 'validation') {
      table.head(bar.label);
      if (doing?.phase === 'train' && !training.isCompleted()) {
        doing = { ...doing, phase: 'val' };
        say({ t: null, kind: 'phase', epoch: doing.epoch, phase: 'val' });
      }
    } else if (bar.of === 'other') {
      training.take(bar.label);
    } else {
      takeTraining(bar, bar.of, raw);
    }
    // A full bar stays on the screen; it may be drawn full more than once.
    if (bar.percent === 100 && bar.label !== saidBar) sayLine(text.slice(0, text.length - bar.glued.length), null);
    saidBar = bar.percent === 100 ? bar.label : '';
  };

  const takeProcess = (line: string) => {
    const { isNew, folder, begins } = training.take(line);
    if (isNew) {
      exceptions.forget();
      redraws.forget();
      beginProcess();
      doing = null;
      earlyStop = null;
    }
    if (folder !== null) nameFolder(folder);
    if (begins) sayStart();
  };

  const sayEnd = (line: string, code: LogCode | null, exception: ExceptionLine | null) => {
    if (code === 'early_stopping') earlyStop = line;
    if (code === 'finished') {
      const reason = earlyStop === null ? 'finished' : 'early_stopped';
      say({ t: null, kind: 'end', reason, said: [...(earlyStop ? [earlyStop] : []), line].join('\n') });
    }
    // What goes wrong in the script behind a training that went well does not make it fail.
    if (exception?.end && !training.isSaved()) {
      sayStart();
      say(exception.end);
    }
  };

  const takeLine = (text: string) => {
    const whole = text.replace(RANK, '');
    saidBar = '';
    takeProcess(whole);
    const line = whole.slice(0, MAX_LINE);
    if (!table.take(line)) sayTable();
    const names = parseBarHeader(line);
    if (names !== null) steps.name(names);
    const meaning = codeOf(line);
    if (meaning !== null) exceptions.pause();
    const exception = meaning === null ? exceptions.take(line) : null;
    const code = meaning ?? exception?.code ?? null;
    sayLine(text, code);
    sayEnd(line, code, exception);
  };

  return {
    take: (raw: string): void => {
      if (redraws.canSkip(raw)) return;
      const text = readable(raw);
      if (text === '') {
        exceptions.pause();
        return;
      }
      const bar = parseBar(text);
      if (bar === null) {
        takeLine(text);
        return;
      }
      sayTable();
      takeBar(bar, text, raw);
      if (bar.glued !== '') takeLine(bar.glued);
    },
  };
};
