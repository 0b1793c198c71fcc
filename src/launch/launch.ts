import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { isatty } from 'node:tty';
import { type KeepingRequest, openKeeping } from './keeping.ts';
import { parseReport, RECORDER_VARIABLE, type Report, recorderProgram } from './recorder.ts';
import { relaySignals, type Signals } from './signals.ts';
import { handOver, openStage, type Stage } from './stage.ts';

/** What `signalbox run` is asked for and where it stands. */
export type LaunchRequest = KeepingRequest & {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly signals: Signals;
};

/** How long a process that the training left behind, its output still open, may delay our end. */
const LAST_OUTPUT_WITHIN_MS = 1000;

/**
 * Runs a command as a shell would and keeps its console log, pid and status; resolves to the status (128 + n after
 * signal n). No output of the training goes through this process, and nothing that it needs lives in our session: with
 * us killed, the training, its screen and its records go on.
 */
export const launch = async (request: LaunchRequest): Promise<number> => {
  const trainingStarted = relaySignals(
    request.signals,
    [0, 1, 2].some((descriptor) => isatty(descriptor)),
  );
  const keeping = openKeeping(request);
  const stage = openStage(keeping, request.warn);
  try {
    const recorder = startRecorder(request, keeping?.folder ?? null, stage);
    onReport(recorder, (report) => {
      trainingStarted(report);
      followSize(request.signals, stage, report.terminal);
    });
    const status = await statusOf(recorder);
    const written = Promise.all(stage.copies.map((copy) => copy.written));
    await Promise.race([written, pause(LAST_OUTPUT_WITHIN_MS, null, { ref: false })]);
    return status;
  } finally {
    stage.terminal?.close();
  }
};

/** Once at the start as well: the window may have changed while the training was being started. */
const followSize = (signals: Signals, { terminal }: Stage, pseudoTerminal: string | null): void => {
  if (terminal === null || pseudoTerminal === null) return;
  const follow = () => terminal.resize(pseudoTerminal);
  signals.on('SIGWINCH', follow);
  follow();
};

/** In a session of its own: no signal to our process group reaches it. */
const startRecorder = (request: LaunchRequest, folder: string | null, stage: Stage): ChildProcess => {
  const { command, cwd, environment } = request;
  const [program, ...words] = stage.program;
  const recorder = spawn(program, words, {
    cwd,
    env: {
      ...environment,
      // `script` starts what SHELL names.
      SHELL: '/bin/sh',
      [RECORDER_VARIABLE]: recorderProgram({
        command,
        folder,
        shell: environment.SHELL ?? null,
        terminal: stage.terminal?.settings ?? null,
        redirections: stage.redirections,
      }),
    },
    stdio: [...stage.stdio],
    detached: true,
  });
  handOver(stage);
  if (recorder.stdin !== null) stage.terminal?.sendKeys(recorder.stdin);
  return recorder;
};

const statusOf = (recorder: ChildProcess): Promise<number> =>
  new Promise((resolve, reject) => {
    recorder.once('error', reject);
    recorder.once('exit', (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])));
  });

const onReport = (recorder: ChildProcess, take: (report: Report) => void): void => {
  const reports = recorder.stdio[3];
  if (!(reports instanceof Readable)) return;
  createInterface({ input: reports }).once('line', (line) => take(parseReport(line)));
};
