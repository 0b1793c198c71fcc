import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { watchFolder } from '../../collectors/runner/watch.ts';
import { codeOfError } from './error-code.ts';
import type { Tell } from './tell.ts';

/** Whether the system tells of changes, tried out on a file of our own. */
export type HintFacts =
  | { readonly kind: 'came'; readonly afterMs: number }
  | { readonly kind: 'silent'; readonly afterMs: number }
  | { readonly kind: 'refused'; readonly code: string };

/** `folder` is ours to write to: a folder is made in it, and taken away again. */
export type HintQuestion = { readonly folder: string; readonly waitMs: number };

export const tryHints = async ({ folder, waitMs }: HintQuestion, tell: Tell): Promise<HintFacts> => {
  tell(`writing a file below ${folder}`);
  const place = mkdtempSync(join(folder, 'signalbox-doctor-'));
  let refusal: unknown = null;
  let hear = () => {};
  const watch = watchFolder(
    place,
    () => hear(),
    (error) => {
      refusal = error;
    },
  );
  try {
    await watch.refresh();
    if (refusal !== null) return { kind: 'refused', code: codeOfError(refusal) };
    const heard = new Promise<number>((resolve) => {
      hear = () => resolve(performance.now());
    });
    const writtenAt = performance.now();
    writeFileSync(join(place, 'file'), 'x');
    const stop = new AbortController();
    const hintAt = await Promise.race([heard, pause(waitMs, null, { signal: stop.signal }).catch(() => null)]);
    stop.abort();
    return hintAt === null
      ? { kind: 'silent', afterMs: waitMs }
      : { kind: 'came', afterMs: Math.max(0, hintAt - writtenAt) };
  } finally {
    await watch.close();
    rmSync(place, { recursive: true, force: true });
  }
};
