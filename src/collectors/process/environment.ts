/**
 * All that is ever taken from the environment of a process: which GPUs it sees, in which order CUDA counts them, and its
 * place in a distributed training. The rest is nobody's business: it holds passwords and tokens.
 */
const NAMES = new Set([
  'CUDA_VISIBLE_DEVICES',
  'CUDA_DEVICE_ORDER',
  'MASTER_ADDR',
  'MASTER_PORT',
  'RANK',
  'LOCAL_RANK',
]);
const MAX_CHARACTERS = 1000;

/** Reads `/proc/PID/environ`, which holds what the process was started with; null where that may not be read. */
export const environmentOf = (environ: string | null): Readonly<Record<string, string>> | null =>
  environ === null
    ? null
    : Object.fromEntries(
        environ.split('\0').flatMap((entry) => {
          const name = entry.slice(0, Math.max(entry.indexOf('='), 0));
          return NAMES.has(name) ? [[name, entry.slice(name.length + 1, name.length + 1 + MAX_CHARACTERS)]] : [];
        }),
      );
