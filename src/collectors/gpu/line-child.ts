import { type ChildProcess, spawn } from 'node:child_process';
import { systemClock } from '../../core/clock.ts';

/** A long-lived program that is read line by line: nvidia-smi in loop mode, or our own that calls NVML. */
export type LineChild = {
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

export type LineChildOptions = {
  /** What it is called in messages. */
  readonly name: string;
  /** The program and its arguments, asked for at each start. */
  readonly command: () => readonly [string, ...string[]];
  /** null: as ours. */
  readonly environment: NodeJS.ProcessEnv | null;
  /** Every whole line of stdout. Returns false for one that is a message of the program rather than data. */
  readonly onLine: (line: string) => boolean;
  /** What the program said between two lines of data: it went on, so something is amiss that is not the end. */
  readonly onRemark: (text: string) => void;
  readonly onStart?: () => void;
  /** It has ended, and why; not when it was closed. */
  readonly onEnd?: (why: string, code: number | null) => void;
  /** Why it ended by itself, from its exit code (null after a signal) and what it said last. */
  readonly explainEnd: (code: number | null, said: string) => string;
  /** Longest silence in milliseconds of the machine's clock before the child is killed; null: silence is normal. */
  readonly silenceMs: number | null;
  /** It prints an empty line when it runs and is about to ask the driver: a busy machine may take long until then. */
  readonly saysWhenItRuns: boolean;
};

/**
 * Silence after which a child that prints every `intervalMs` counts as hung: five periods, and never so short that a busy
 * machine looks like it.
 */
export const silenceOfTicks = (intervalMs: number): number => Math.max(5 * intervalMs, 1000);

/** Without persistence mode the driver initialises every GPU first: 2 to 30 s have been seen. */
const FIRST_LINE_MS = 60_000;
/**
 * A child that follows one that answered finds the driver at work, so that silence is a hang again; each that was silent
 * for so long gives the next one twice as long.
 */
const FIRST_LINE_AGAIN_MS = 4000;
/** A killed process is gone in milliseconds, unless it waits inside the kernel for a driver that hangs. */
const DEAD_WITHIN_MS = 2000;
const MESSAGE_CHARACTERS = 4096;

/**
 * The child's stdout is a pipe that only we read: when we die, even by SIGKILL, its next line breaks the pipe and ends
 * it. Its silence is measured by the machine's clock: a process lives in that, also where samples are dated by another.
 */
export const createLineChild = (options: LineChildOptions): LineChild => {
  let child: ChildProcess | null = null;
  let gone: Promise<void> = Promise.resolve();
  let failure: string | null = null;
  let killed: { readonly why: string; readonly at: number } | null = null;
  let lineAt = Number.NEGATIVE_INFINITY;
  let firstLineMs = FIRST_LINE_MS;
  let isClosed = false;

  const start = (): void => {
    let messages = '';
    let rest = '';
    let hasAnswered = false;
    const keep = (text: string): void => {
      messages = (messages + text).slice(-MESSAGE_CHARACTERS);
    };
    killed = null;
    options.onStart?.();
    const [program, ...args] = options.command();
    const started = spawn(program, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(options.environment === null ? {} : { env: options.environment }),
    });
    child = started;

    const startMs = options.saysWhenItRuns ? FIRST_LINE_MS : firstLineMs;
    const watchdog = createWatchdog(options.silenceMs === null ? null : startMs, (silentMs) => {
      const silentS = (silentMs / 1000).toFixed(1);
      killed = {
        why: `${options.name} printed nothing for ${silentS} s and was killed: the driver may hang`,
        at: systemClock.now(),
      };
      if (!hasAnswered) firstLineMs = Math.min(firstLineMs * 2, FIRST_LINE_MS);
      started.kill('SIGKILL');
    });
    started.stderr.setEncoding('utf8').on('data', keep);
    started.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      if (hasAnswered) watchdog.alive(options.silenceMs);
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        if (line === '' && !hasAnswered) watchdog.alive(firstLineMs);
        if (line === '') continue;
        if (!options.onLine(line)) {
          keep(`${line}\n`);
          continue;
        }
        lineAt = systemClock.now();
        hasAnswered = true;
        watchdog.alive(options.silenceMs);
        firstLineMs = FIRST_LINE_AGAIN_MS;
        if (messages !== '') options.onRemark(messages.trim());
        messages = '';
      }
    });
    gone = new Promise((resolve) => {
      const end = (why: string, code: number | null): void => {
        watchdog.stop();
        if (child === started) {
          child = null;
          failure = killed?.why ?? why;
          if (!isClosed) options.onEnd?.(failure, code);
        }
        resolve();
      };
      started.on('error', (error) => end(`${program} could not be started: ${error.message}`, null));
      // Not 'exit': 'close' comes after the last of what it printed was read.
      started.on('close', (code) => end(options.explainEnd(code, messages + rest), code));
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
      isClosed = true;
      child?.kill('SIGKILL');
      await Promise.race([gone, new Promise<void>((resolve) => systemClock.after(DEAD_WITHIN_MS, resolve))]);
    },
  };
};

/**
 * Calls `bite` once when `alive` was not called for the time that its last call gave; a timer a second or so, not one
 * per line. Where it was we who were held up, what the child printed meanwhile is read before it is judged. Never bites
 * with a limit of null.
 */
const createWatchdog = (startMs: number | null, bite: (silentMs: number) => void) => {
  let limitMs = startMs;
  let aliveAt = systemClock.now();
  let isStopped = false;
  let cancel = () => {};
  const silentMs = (): number => systemClock.now() - aliveAt;
  const wait = (): void => {
    cancel();
    if (!isStopped && limitMs !== null) cancel = systemClock.after(Math.max(0, limitMs - silentMs()), check);
  };
  const isTooLong = (): boolean => limitMs !== null && silentMs() >= limitMs;
  const check = (): void => {
    if (isTooLong()) setImmediate(biteOrWait);
    else wait();
  };
  const biteOrWait = (): void => {
    if (isTooLong() && !isStopped) bite(silentMs());
    else wait();
  };
  wait();
  return {
    alive: (nextMs: number | null): void => {
      aliveAt = systemClock.now();
      if (limitMs === nextMs) return;
      limitMs = nextMs;
      wait();
    },
    stop: (): void => {
      isStopped = true;
      cancel();
    },
  };
};
