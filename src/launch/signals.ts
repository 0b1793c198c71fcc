import type { Report } from './recorder.ts';

/** The two sides of signals, given by the one file that may touch `process`. */
export type Signals = {
  readonly on: (signal: NodeJS.Signals, listener: () => void) => void;
  /** A negative pid is a process group. Throws where there is no such process. */
  readonly send: (pid: number, signal: NodeJS.Signals) => void;
};

/** A terminal sends these to a whole process group at once; so do we, when we have one. */
const KEYBOARD: readonly NodeJS.Signals[] = ['SIGINT', 'SIGQUIT', 'SIGHUP'];
const DIRECT: readonly NodeJS.Signals[] = ['SIGTERM', 'SIGUSR1', 'SIGUSR2'];

/**
 * Hands every signal that comes to us on to the training, once; what comes before the training is there waits for it.
 * Without a terminal SIGHUP is dropped: Node undoes what `nohup` set up before we can see it, and a hang-up of a
 * terminal that is not ours is what `nohup` is for.
 */
export const relaySignals = (signals: Signals, hasTerminal: boolean): ((training: Report) => void) => {
  let training: Report | null = null;
  const waiting: NodeJS.Signals[] = [];
  const send = ({ pid, group }: Report, signal: NodeJS.Signals): void => {
    try {
      signals.send(hasTerminal && KEYBOARD.includes(signal) ? -group : pid, signal);
    } catch {
      // It has just ended, or runs as another user (sudo): who sent it to us could not have reached it either.
    }
  };
  for (const signal of [...KEYBOARD, ...DIRECT]) {
    signals.on(signal, () => {
      if (signal === 'SIGHUP' && !hasTerminal) return;
      if (training === null) waiting.push(signal);
      else send(training, signal);
    });
  }
  return (report) => {
    training = report;
    for (const signal of waiting.splice(0)) send(report, signal);
  };
};
