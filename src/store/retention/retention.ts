import type { Database } from 'better-sqlite3';
import type { Log } from '../../core/log.ts';
import type { Retention } from '../../core/retention.ts';
import type { Transactions } from '../transaction.ts';
import { createAgeing } from './ageing.ts';
import { createFreePages } from './free-pages.ts';
import { createShedding } from './shedding.ts';
import { type Space, spaceOf } from './space.ts';

/** Keeps the database within its ages, its size and the disk. */
export type Keeping = {
  /**
   * One small step, far below a tick of the loop; opens its own transactions. True when there is more to do soon.
   * Throws what SQLite throws when the disk takes no more writes; a later step goes on.
   */
  readonly step: (now: number) => boolean;
  /** What a person should know of the space, for `/readyz`; null: nothing. */
  readonly warning: () => string | null;
};

/** Below this share of its cap the database is let grow; above, what is oldest goes, so that the cap itself holds. */
const SHED_ABOVE = 0.95;
/** Free pages that stay in the file for what comes next: giving them back and taking them again costs writes. */
const SPARE_PAGES = 1024;
/** A log of this size is not cut where space is short: that waits for the disk, and the next rows use it again. */
const LOG_BYTES = 2 ** 20;

export const createRetention = ({
  db,
  transaction,
  limits,
  log,
}: {
  readonly db: Database;
  readonly transaction: Transactions['run'];
  readonly limits: Retention;
  readonly log: Log;
}): Keeping => {
  const ageing = createAgeing(db, limits);
  const shedding = createShedding(db);
  const freePages = createFreePages(db);
  const readSpace = spaceOf(db);
  let warning: Warning | null = null;

  /** Says each thing once, when it begins. */
  const warn = (next: Warning | null, space: Space) => {
    if (next !== null && next !== warning) log.warn({ ...space, maxBytes: limits.maxBytes }, WARNINGS[next]);
    warning = next;
  };

  return {
    step: (now) => {
      const isOver = (space: Space) => space.usedBytes + space.logBytes > limits.maxBytes * SHED_ABOVE;
      const before = readSpace();
      if ((before.isDiskLow || isOver(before)) && before.logBytes > LOG_BYTES) freePages.emptyLog();
      const isAgeing = transaction(() => ageing.step(now));
      const space = readSpace();
      const isTight = space.isDiskLow || isOver(space);
      const isShedding = isTight && transaction(isOver(space) ? shedding.dropOldest : shedding.dropOldestDetail);
      if (space.isDiskLow) warn('disk', space);
      else if (!isOver(space)) warn(null, space);
      else if (!isShedding) warn('size', space);
      const isGivingBack = transaction(() => freePages.giveBack(isTight ? 0 : SPARE_PAGES));
      return isAgeing || isShedding || isGivingBack;
    },
    warning: () => (warning === null ? null : WARNINGS[warning]),
  };
};

type Warning = keyof typeof WARNINGS;
const WARNINGS = {
  disk: 'the disk of the history is nearly full: the oldest samples are deleted, so that it goes on',
  size: 'the history is larger than it may be, and all that is left of it is kept for ever',
} as const;
