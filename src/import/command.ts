import { basename } from 'node:path';
import { findRun } from './find-run.ts';
import type { History } from './history.ts';
import { importGpuLog } from './import-gpu-log.ts';
import { describeImport, describeProgress } from './words.ts';

/** What a person asked for. */
export type ImportRequest = {
  /** Absolute. */
  readonly file: string;
  /** RUN as given, and the folder that it would be. */
  readonly run: string;
  readonly runPath: string;
  readonly zone: string;
};

/**
 * `signalbox import`: takes a log into a history, which it closes, and answers what to say of it; `problem` where RUN is
 * no one run. Throws what reading the file or the history throws.
 */
export const runImport = async (
  { file, run: word, runPath, zone }: ImportRequest,
  history: History,
  writeProgress: ((line: string) => void) | null,
): Promise<{ readonly text: string } | { readonly problem: string }> => {
  try {
    const found = findRun(word, runPath, await history.runsLike(word, basename(runPath)));
    if ('problem' in found) return found;
    const { run } = found;
    const log = await importGpuLog({
      file,
      zone,
      take: (rows) => history.take(run.id, rows),
      onProgress: (done) => writeProgress?.(describeProgress(done)),
    });
    return { text: describeImport(run, log, zone) };
  } finally {
    writeProgress?.('\r\u001B[K');
    await history.close();
  }
};
