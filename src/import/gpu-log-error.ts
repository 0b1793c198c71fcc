/** A file that is no log of nvidia-smi that can be read: where, what was expected and what was found. */
export class GpuLogError extends Error {
  override name = 'GpuLogError';
}
