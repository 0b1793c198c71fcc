import type { ObservedXid } from '../../../core/batch.ts';
import type { Clock } from '../../../core/clock.ts';
import type { Log } from '../../../core/log.ts';
import { createLineChild } from '../line-child.ts';
import { commandOf, environmentOf, explainEndOf, parseMessage } from './child-process.ts';
import { type EventsMessage, type EventsSettings, EXIT, WAIT_MS } from './protocol.ts';

/** XIDs as the driver itself tells them, which leaves some out: none heard does not mean that there was none. */
export type XidEvents = {
  /**
   * What came since it was asked last. Starts the child that listens when there is none, and throws why the last one
   * ended: the caller's pace is that of restarts.
   */
  readonly take: () => readonly ObservedXid[];
  readonly close: () => Promise<void>;
};

export type XidEventsOptions = {
  /** Path of the library; null: the one that the loader finds. */
  readonly library: string | null;
  readonly environment: NodeJS.ProcessEnv;
  readonly clock: Clock;
  readonly log: Log;
};

const NAME = 'the listener for NVML events';
/** It says that it lives far more often. */
const SILENCE_MS = 5 * WAIT_MS;
/** What looks that never come may leave waiting. */
const MAX_WAITING = 1000;

/** Waiting blocks a process, and may hang in the driver: so it has one of its own, which costs 28 MB. */
export const createXidEvents = ({ library, environment, clock, log }: XidEventsOptions): XidEvents => {
  let heard: ObservedXid[] = [];
  /** The last child ended so that another is no use. */
  let isHopeless = false;

  const child = createLineChild({
    name: NAME,
    command: () => commandOf('events-child', { library, parent: process.pid } satisfies EventsSettings),
    environment: environmentOf(environment),
    saysWhenItRuns: true,
    silenceMs: SILENCE_MS,
    onLine: (line) => {
      const message = parseMessage<EventsMessage>(line);
      if (message !== null && 'xid' in message) {
        const { uuid, xid } = message;
        heard = [...heard, { at: clock.now(), gpu: uuid, xid, line: `NVML event: Xid ${xid}` }].slice(-MAX_WAITING);
      }
      return message !== null;
    },
    onRemark: (text) => log.warn({ text }, 'the listener for NVML events reports a problem'),
    onEnd: (why, code) => {
      isHopeless = code === EXIT.unavailable;
      if (isHopeless) log.warn({ why }, 'XIDs cannot be had from the driver either');
    },
    explainEnd: explainEndOf(NAME),
  });

  return {
    take: () => {
      if (!isHopeless) child.ensure();
      const told = heard;
      heard = [];
      return told;
    },
    close: child.close,
  };
};
