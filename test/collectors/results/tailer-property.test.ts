import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { patientAccess, promptAccess } from '../../../src/collectors/file/access.ts';
import { createResultsTailer } from '../../../src/collectors/results/tailer.ts';
import { chooseFormat, createRandom, type Random, writeLines, writeText } from './random.ts';
import { type PlainRow, readWhole } from './reference.ts';

const CASES_OF_EACH = 5000;
const signal = AbortSignal.timeout(80_000);

/** A folder in memory where the system has one: a disk would be asked to write every file that is replaced. */
const inMemory = (t: Test): string => {
  if (!existsSync('/dev/shm')) return t.testdir({});
  const folder = mkdtempSync('/dev/shm/signalbox-');
  t.teardown(() => rmSync(folder, { recursive: true }));
  return folder;
};

/** A clock for mtimes: changes in one tick of the file system's own clock could not be told apart. */
let seconds = 1_700_000_000;
const change = (path: string, write: () => void) => {
  write();
  seconds += 1;
  utimesSync(path, seconds, seconds);
};

/** What a look found that is not what the file holds; null when all is right. */
type Difference = { readonly text: string; readonly wanted: unknown; readonly found: unknown } | null;

/** Looks at a file with tailers that come and go, and compares each look with the whole file read plainly. */
const createWitness = (path: string) => {
  let tailer = createResultsTailer(path);
  let rows: readonly PlainRow[] = [];
  let said: string | null = null;
  let mayBeginAnew = true;
  return {
    /** The service dies and is started again. */
    restart: () => {
      tailer = createResultsTailer(path);
      said = null;
      mayBeginAnew = true;
    },
    /** The file is no longer the one that was read: all of it may be said again. */
    rewritten: () => {
      mayBeginAnew = true;
    },
    look: async (random: Random, text: string | null): Promise<Difference> => {
      const access = random(50) === 0 ? patientAccess : promptAccess;
      const { results, rows: news } = await tailer.look(signal, access);
      const plain = news.map(({ epoch, fileAttempt, elapsedS, metrics }) => ({
        epoch,
        fileAttempt,
        elapsedS,
        metrics,
      }));
      const whole = readWhole(text ?? '');
      if (whole.first === null) {
        return results === null && plain.length === 0
          ? null
          : { text: text ?? 'no file', wanted: null, found: results };
      }
      const wanted = { rows: whole.rows, keptOut: whole.keptOut, fresh: said !== null && said !== whole.first };
      const facts = { keptOut: results?.rowsKeptOut, fresh: results?.fresh };
      const goesOn = { rows: [...rows, ...plain], ...facts };
      const anew = { rows: plain, ...facts };
      const right = [goesOn, ...(mayBeginAnew ? [anew] : [])].find((found) => same(found, wanted));
      if (right === undefined) return { text: text ?? '', wanted, found: goesOn };
      rows = right.rows;
      said = whole.first;
      mayBeginAnew = false;
      return null;
    },
  };
};

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

/** One training and what may befall its file, at moments drawn from `random`. */
const live = async (random: Random, kind: 'csv' | 'txt', path: string): Promise<Difference> => {
  const format = chooseFormat(random, kind);
  let lines = writeLines(random, format);
  let text = writeText(random, format, lines);
  let written = 0;
  const witness = createWitness(path);
  const put = (length: number) => {
    written = length;
    change(path, () => writeFileSync(path, text.slice(0, written)));
  };
  put(0);
  let difference: Difference = null;
  while (written < text.length && difference === null) {
    const befalls = random(40);
    if (befalls < 20) {
      const piece = text.slice(written, written + 1 + random(300));
      change(path, () => appendFileSync(path, piece));
      written += piece.length;
    } else if (befalls < 30) {
      difference = await witness.look(random, text.slice(0, written));
    } else if (befalls < 33) {
      copyFileSync(path, `${path}.copy`);
      change(path, () => renameSync(`${path}.copy`, path));
    } else if (befalls < 36) {
      witness.restart();
    } else if (befalls < 38) {
      // A resume of YOLOv7: the file as its checkpoint has it, and from there on other rows.
      lines = [...lines.slice(0, random(lines.length + 1)), ...writeLines(random, format)];
      const before = text;
      text = writeText(random, format, lines);
      witness.rewritten();
      put(Math.min(written, commonLength(before, text)));
    } else {
      rmSync(path);
      if (random(2) === 0) difference = await witness.look(random, null);
      if (random(2) === 0) {
        lines = writeLines(random, format);
        text = writeText(random, format, lines);
        written = 0;
      }
      witness.rewritten();
      put(written);
    }
  }
  return difference ?? (await witness.look(random, text));
};

const commonLength = (a: string, b: string): number => {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length++;
  return length;
};

for (const kind of ['csv', 'txt'] as const) {
  t.test(
    `${CASES_OF_EACH} results.${kind} that grow, shrink, are replaced, deleted and looked at by services that die are read as if whole`,
    async (t) => {
      const folder = inMemory(t);
      const failed: (Difference & { seed: number })[] = [];
      for (let seed = 1; seed <= CASES_OF_EACH; seed++) {
        const difference = await live(createRandom(seed), kind, join(folder, `${seed % 10}.${kind}`));
        if (difference) failed.push({ seed, ...difference });
      }
      t.same(failed.slice(0, 1), [], `${failed.length} of ${CASES_OF_EACH} differ`);
    },
  );
}
