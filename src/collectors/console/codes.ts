import type { LogCode } from '../../core/trace.ts';

/** What a line of the log is known to mean, exceptions apart (see core/failure-codes.ts); null for most lines. */
export const codeOf = (line: string): LogCode | null => MEANINGS.find(([, pattern]) => pattern.test(line))?.[0] ?? null;

const MEANINGS: readonly (readonly [LogCode, RegExp])[] = [
  ['batch_halved', /^WARNING.*CUDA out of memory with batch=\d+\. Reducing/],
  ['nan_recovery', /^WARNING.*NaN\/Inf detected/],
  ['early_stopping', /(?:Training stopped early|Stopping training early) as no improvement/],
  ['finished', /^\d+ epochs completed in /],
  ['resumed', /^Resuming training .* from epoch \d+ to \d+/],
  ['mosaic_closed', /^Closing dataloader mosaic/],
  ['shared_memory_full', /^ERROR: Unexpected bus error .*insufficient shared memory/],
  ['warning', /^WARNING\b/],
];
