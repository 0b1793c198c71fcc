import type { GpuLogRow, GpuLogTaken } from '../core/gpu-log.ts';
import type { Run } from '../core/run.ts';

/** Where a log goes: the history of a running service, or the database itself. */
export type History = {
  /** The run with this id, and those with this text in their name or path. */
  readonly runsLike: (id: string, text: string) => Promise<readonly Run[]>;
  readonly take: (run: string, rows: readonly GpuLogRow[]) => Promise<GpuLogTaken>;
  /** Finishes what is left to do, and lets go. */
  readonly close: () => Promise<void>;
};
