import type { Log } from '../../core/log.ts';

/** Logs what `key` stands for, the first time only. */
export type LogOnce = (level: 'warn' | 'error', key: string, facts: object, message: string) => void;

/** Errors whose texts never repeat must not fill memory and log: after so many, nothing new is logged. */
const MAX_KEYS = 10_000;

/** Remembers what was logged. */
export const createLogOnce = (log: Log): LogOnce => {
  const logged = new Set<string>();
  return (level, key, facts, message) => {
    if (logged.has(key) || logged.size >= MAX_KEYS) return;
    logged.add(key);
    log[level](facts, message);
  };
};
