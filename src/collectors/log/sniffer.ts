import type { BigIntStats } from 'node:fs';
import { createConsoleParser } from '../console/parser.ts';
import { patientAccess } from '../file/access.ts';
import { readAt } from '../file/read.ts';
import { isUnchanged } from '../file/stat.ts';

/** As far as a training may be from the beginning of its log: installations and downloads may come first. */
const SNIFF_BYTES = 256 * 1024;

/** Tells whether the file at `path` is a console log of a training. Asks the file again as long as it grows. */
export const createLogSniffer = (path: string): { readonly isLog: () => Promise<boolean> } => {
  let known: boolean | null = null;
  let seen: BigIntStats | null = null;

  return {
    isLog: async () => {
      if (known === true) return true;
      const found = await patientAccess.stat(path);
      if (found === null || isUnchanged(seen, found)) return false;
      const wasWhole = seen !== null && seen.size >= BigInt(SNIFF_BYTES) && found.size >= seen.size;
      seen = found;
      if (wasWhole) return false;
      known = holdsTraining(await readBeginning(path));
      return known;
    },
  };
};

const readBeginning = async (path: string): Promise<Buffer> => {
  const file = await patientAccess.open(path);
  if (file === null) return Buffer.alloc(0);
  try {
    return await readAt(file, 0, SNIFF_BYTES);
  } finally {
    await file.close();
  }
};

/** More than lines: a bar, a start, an ending. */
const holdsTraining = (bytes: Buffer): boolean => {
  const parser = createConsoleParser();
  return [...parser.push(bytes), ...parser.rest()].some(({ event }) => event.kind !== 'log');
};
