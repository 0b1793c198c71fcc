import type { LogCode } from './trace.ts';

/** What the words of an exception say is wrong; `error_in_log` when they are none of those that we know. */
export const failureOf = (text: string): LogCode =>
  FAILURES.find(([, pattern]) => pattern.test(text))?.[0] ?? 'error_in_log';

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
