import type { Jobs } from './jobs.ts';

/** What the thread is told when it starts. `flags`: shared memory, a place each for {@link FLAG}. */
export type ThreadSettings = { readonly path: string; readonly flags: Int32Array };

/** Places in the shared memory; 0 means no, 1 yes. */
export const FLAG = {
  /** Nobody waits for the running job any more. */
  jobEnds: 0,
  /** The connection of the thread is closed. */
  isClosed: 1,
} as const;

/** What the thread is sent: a job, or that it is to end. */
export type ThreadOrder = { readonly kind: keyof Jobs; readonly input: unknown } | 'end';

/** What it answers to each job. */
export type ThreadAnswer = { readonly output: unknown } | { readonly error: unknown };
