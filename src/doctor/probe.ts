import { fork } from 'node:child_process';
import { extname, join } from 'node:path';
import type { Probes } from './probes.ts';

/** What a probe found out, or how it ended without that. `doing` is the last thing that it said it was about to do. */
export type Probed<T> =
  | { readonly kind: 'answered'; readonly value: T }
  | {
      readonly kind: 'hung';
      readonly afterMs: number;
      readonly doing: string | null;
      /** Not even SIGKILL ended it: it waits inside the kernel. */
      readonly isStuck: boolean;
    }
  | { readonly kind: 'died'; readonly why: string; readonly doing: string | null };

type Input<N extends keyof Probes> = Parameters<Probes[N]>[0];
type Answer<N extends keyof Probes> = Awaited<ReturnType<Probes[N]>>;

/** What the child sends. */
export type ProbeMessage = { readonly doing: string } | { readonly answer: unknown } | { readonly failure: string };

const CHILD = join(import.meta.dirname, `probe-child${extname(import.meta.filename)}`);
/** A killed process is gone in milliseconds, unless it waits inside the kernel for a disk or a driver that hangs. */
const DEAD_WITHIN_MS = 1000;
const WHY_CHARACTERS = 300;

/**
 * Looks at something that may hang or crash whoever looks, in a process of its own, which is killed after
 * `limitMs` in which it said nothing.
 * `environment` is that of the child; options for this Node are not handed on. Never rejects.
 */
export const probe = <N extends keyof Probes>(
  name: N,
  input: Input<N>,
  { limitMs, environment }: { readonly limitMs: number; readonly environment: NodeJS.ProcessEnv },
): Promise<Probed<Answer<N>>> =>
  new Promise((resolve) => {
    let doing: string | null = null;
    let said = '';
    const child = fork(CHILD, [], {
      execArgv: [],
      env: { ...environment, NODE_OPTIONS: undefined },
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    let isKilled = false;
    const leave = (outcome: Probed<Answer<N>>): void => {
      clearTimeout(timer);
      if (child.connected) child.disconnect();
      child.stderr?.destroy();
      child.unref();
      resolve(outcome);
    };
    const leaveHung = (isStuck: boolean): void => leave({ kind: 'hung', afterMs: limitMs, doing, isStuck });
    const kill = (): void => {
      isKilled = true;
      child.kill('SIGKILL');
      timer = setTimeout(leaveHung, DEAD_WITHIN_MS, true);
    };
    let timer = setTimeout(kill, limitMs);

    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-WHY_CHARACTERS);
    });
    child.on('error', (error) => leave({ kind: 'died', why: error.message, doing }));
    child.on('exit', (code, signal) => {
      if (isKilled) return leaveHung(false);
      const how = signal === null ? `ended with exit code ${code}` : `was ended by ${signal}`;
      leave({ kind: 'died', why: `its process ${how}${said.trim() === '' ? '' : ` (${said.trim()})`}`, doing });
    });
    // Our own child sends it.
    child.on('message', (message: ProbeMessage) => {
      if (isKilled) return;
      if ('doing' in message) {
        doing = message.doing;
        timer.refresh();
      } else if ('failure' in message) leave({ kind: 'died', why: message.failure, doing });
      // What it sends is what the probe of this name returns, by way of JSON.
      else leave({ kind: 'answered', value: message.answer as Answer<N> });
    });
    child.send({ name, input });
  });
