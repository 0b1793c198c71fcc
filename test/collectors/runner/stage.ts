import { EventEmitter, once } from 'node:events';
import type { Test } from 'tap';
import { createRunner } from '../../../src/collectors/runner/runner.ts';
import type { Batch } from '../../../src/core/batch.ts';
import { type Clock, systemClock } from '../../../src/core/clock.ts';
import type { Collector } from '../../../src/core/ports.ts';

/** A clock that goes only when it is told to. */
export const createHandClock = () => {
  let now = 1_700_000_000_000;
  let timers: { at: number; work: () => void }[] = [];
  const clock: Clock = {
    now: () => now,
    after: (ms, work) => {
      const timer = { at: now + ms, work };
      timers.push(timer);
      return () => {
        timers = timers.filter((other) => other !== timer);
      };
    },
  };
  const pass = (ms: number) => {
    const until = now + ms;
    for (;;) {
      const next = timers.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      timers = timers.filter((timer) => timer !== next);
      now = Math.max(now, next.at);
      next.work();
    }
    now = until;
  };
  return { clock, pass };
};

/** A runner whose batches and log lines are events. */
export const stage = (t: Test, clock: Clock = systemClock, ingest?: (batch: Batch) => void) => {
  const events = new EventEmitter();
  const lines: string[] = [];
  const note = (level: string) => (_facts: object, message: string) => {
    lines.push(`${level} ${message}`);
    events.emit('line');
  };
  const runner = createRunner({
    polling: 'auto',
    clock,
    log: { info: note('info'), warn: note('warn'), error: note('error') },
    ingest: (batch, name) => {
      ingest?.(batch);
      events.emit('batch', batch, name);
    },
  });
  // Neither clocks nor watches keep a process alive, and this one has nothing else to do.
  const alive = setInterval(() => {}, 60_000);
  t.teardown(async () => {
    clearInterval(alive);
    await runner.close();
  });
  const next = (event: string) => once(events, event, { signal: AbortSignal.timeout(10_000) });
  return { runner, next, lines };
};

/** A source that counts its looks; each waits until it is told what to answer. */
export const createSource = (t: Test, when: Partial<Collector['when']> = {}, timeoutMs = 10_000) => {
  const begun = new EventEmitter();
  const looks: {
    answer: (batch: Batch) => void;
    fail: (error: Error) => void;
    hints: readonly string[] | undefined;
  }[] = [];
  let atOnce = 0;
  let mostAtOnce = 0;
  let startedOver = 0;
  let wake = () => {};
  const collector: Collector = {
    name: 'source',
    when: {
      everyMs: 1000,
      woken: (wakeUp) => {
        wake = wakeUp;
      },
      ...when,
    },
    timeoutMs,
    collect: (signal, hints) => {
      mostAtOnce = Math.max(mostAtOnce, ++atOnce);
      const { promise, resolve, reject } = Promise.withResolvers<Batch>();
      looks.push({ answer: resolve, fail: reject, hints });
      signal.addEventListener('abort', () => begun.emit('abort'));
      begun.emit('look');
      return promise.finally(() => atOnce--);
    },
    startOver: () => {
      startedOver++;
    },
  };
  t.teardown(() => {
    for (const { answer } of looks) answer({});
  });
  const next = (event: 'look' | 'abort') => once(begun, event, { signal: AbortSignal.timeout(10_000) });
  return { collector, looks, next, wake: () => wake(), mostAtOnce: () => mostAtOnce, startedOver: () => startedOver };
};

/** Lets everything that is ready run. */
export const settle = () => new Promise((resolve) => setImmediate(resolve));
