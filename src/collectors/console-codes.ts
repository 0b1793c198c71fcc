import type { LogCode } from '../core/trace.ts';

/** What the words of an exception say is wrong; `error_in_log` when they are none of those that we know. */
export const failureOf = (text: string): LogCode =>
  FAILURES.find(([, pattern]) => pattern.test(text))?.[0] ?? 'error_in_log';

/** What a line of the log is known to mean, exceptions apart (see {@link failureOf}); null for most lines. */
export const codeOf = (line: string): LogCode | null => MEANINGS.find(([, pattern]) => pattern.test(line))?.[0] ?? null;

/** The more telling first: a full /dev/shm shows itself as a dead worker and as a full disk too. */
const FAILURES: readonly (readonly [LogCode, RegExp])[] = [
  ['interrupted', /^KeyboardInterrupt/],
  ['cuda_out_of_memory', /(?:CUDA|HIP) out of memory|CUDA error: out of memory|\bOutOfMemoryError\b/i],
  ['shared_memory_full', /insufficient shared memory|out of shared memory|shared memory is insufficient|<\/torch_\d/],
  ['dataloader_worker_died', /DataLoader worker \(pid(?:\(s\))? [\d, ]+\) (?:exited unexpectedly|is killed by signal)/],
  ['nan_loss', /Training failed: NaN persisted|corrupted with NaN\/Inf/],
  ['disk_full', /No space left on device/],
  [
    'dataset_missing',
    /\bDataset\b.* not found|images not found|No images found|No labels found|Error loading data from|^(?!.*\.pt\b).*(?:\.ya?ml|\b(?:images|train|val)\b).* does not exist/,
  ],
];

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
