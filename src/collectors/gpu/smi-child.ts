import { type ChildProcess, spawn } from 'node:child_process';
import { systemClock } from '../../core/clock.ts';
import { explainSmiFailure } from './smi-errors.ts';

/** A long-lived nvidia-smi in loop mode, read line by line. */
export type SmiChild = {
  /**
   * Starts the child when none is alive. Throws, in plain words, why the last one ended, and starts the next one then:
   * so it is the caller's own pace (the runner's back-off) that limits restarts, and two never live at once.
   */
  readonly ensure: () => void;
  /** It printed something, and not too long ago. Always false where silence is normal. */
  readonly answers: () => boolean;
  /** Kills it; resolves when it is gone, or after two seconds when the driver holds it so that no signal reaches it. */
  readonly close: () => Promise<void>;
};

export type SmiChildOptions = {
  /** The program and its arguments. */
  readonly command: readonly [string, ...string[]];
  /** Every whole line of stdout. Returns false for one that is a message of the program rather than data. */
  readonly onLine: (line: string) => boolean;
  /** What the program said between two lines of data: it went on, so something is amiss that is not the end. */
  readonly onRemark: (text: string) => void;
  readonly onStart?: () => void;
  /** Longest silence in milliseconds of the machine's clock before the child is killed; null: silence is normal. */
  readonly silenceMs: number | null;
};

/** Without persistence mode the driver initialises every GPU first: 2 to 30 s have been seen. */
const FIRST_LINE_MS = 60_000;
/** A killed process is gone in milliseconds, unless it waits inside the kernel for a driver that hangs. */
const DEAD_WITHIN_MS = 2000;
const MESSAGE_CHARACTERS = 4096;

/**
 * The child's stdout is a pipe that only we read: when we die, even by SIGKILL, its next line breaks the pipe and ends
 * it. Its silence is measured by the machine's clock: a process lives in that, also where samples are dated by another.
 */
export const createSmiChild = (options: SmiChildOptions): SmiChild => {
  const [program, ...args] = options.command;
  let child: ChildProcess | null = null;
  let gone: Promise<void> = Promise.resolve();
  let failure: string | null = null;
  let killed: { readonly why: string; readonly at: number } | null = null;
  let lineAt = Number.NEGATIVE_INFINITY;

  const start = (): void => {
    let messages = '';
    let rest = '';
    const keep = (text: string): void => {
      messages = (messages + text).slice(-MESSAGE_CHARACTERS);
    };
    killed = null;
    options.onStart?.();
    const started = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    child = started;

    const watchdog = createWatchdog(options.silenceMs, (silentMs) => {
      const why = `nvidia-smi printed nothing for ${(silentMs / 1000).toFixed(1)} s and was killed: the driver may hang`;
      killed = { why, at: systemClock.now() };
      started.kill('SIGKILL');
    });
    started.stderr.setEncoding('utf8').on('data', keep);
    started.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      watchdog.alive();
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        if (!options.onLine(line)) {
          keep(`${line}\n`);
          continue;
        }
        lineAt = systemClock.now();
        if (messages !== '') options.onRemark(messages.trim());
        messages = '';
      }
    });
    gone = new Promise((resolve) => {
      const end = (why: string): void => {
        watchdog.stop();
        if (child === started) {
          child = null;
          failure = killed?.why ?? why;
        }
        resolve();
      };
      started.on('error', (error) => end(`${program} could not be started: ${error.message}`));
      // Not 'exit': 'close' comes after the last of what it printed was read.
      started.on('close', (code) => end(explainSmiFailure(code, messages + rest)));
    });
  };

  return {
    ensure: () => {
      const isStuck = child !== null && killed !== null && systemClock.now() - killed.at > DEAD_WITHIN_MS;
      if (isStuck) throw new Error(`${killed?.why}, and not even SIGKILL ends it`);
      if (child !== null) return;
      const ended = failure;
      failure = null;
      start();
      if (ended !== null) throw new Error(ended);
    },
    answers: () => options.silenceMs !== null && systemClock.now() - lineAt <= options.silenceMs,
    close: async () => {
      child?.kill('SIGKILL');
      await Promise.race([gone, new Promise<void>((resolve) => systemClock.after(DEAD_WITHIN_MS, resolve))]);
    },
  };
};

/** Calls `bite` once when `alive` was not called for too long; a timer a second or so, not one per line. */
const createWatchdog = (silenceMs: number | null, bite: (silentMs: number) => void) => {
  if (silenceMs === null) return { alive: () => {}, stop: () => {} };
  let limitMs = FIRST_LINE_MS;
  let aliveAt = systemClock.now();
  let cancel = () => {};
  const check = (): void => {
    const silentMs = systemClock.now() - aliveAt;
    if (silentMs >= limitMs) bite(silentMs);
    else cancel = systemClock.after(limitMs - silentMs, check);
  };
  check();
  return {
    alive: () => {
      aliveAt = systemClock.now();
      if (limitMs === silenceMs) return;
      limitMs = silenceMs;
      cancel();
      check();
    },
    stop: () => cancel(),
  };
};
