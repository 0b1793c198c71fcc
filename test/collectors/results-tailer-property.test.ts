import { appendFileSync, copyFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { createResultsTailer } from '../../src/collectors/results-tailer.ts';
import type { ObservedRow } from '../../src/core/batch.ts';

const CASES = 2000;

/** mulberry32: the same numbers on every machine. */
const createRandom = (seed: number) => {
  let state = seed;
  return (below: number): number => {
    state = (state + 0x6d2b79f5) | 0;
    let bits = Math.imul(state ^ (state >>> 15), 1 | state);
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits;
    return Math.floor((((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32) * below);
  };
};
type Random = ReturnType<typeof createRandom>;

/** A result file with resumes, re-runs, odd cells, ragged and broken lines. */
const writeFile = (random: Random): string => {
  const timed = random(2) === 0;
  const end = random(4) === 0 ? '\r\n' : '\n';
  const lines = [timed ? 'epoch,time,train/loss,val/loss' : '               epoch,   train/loss,   val/loss'];
  let epoch = random(2);
  let seconds = 0;
  for (let count = random(12); count > 0; count--) {
    const happening = random(12);
    if (happening === 0) epoch = random(2);
    if (happening <= 1) seconds = 0;
    seconds += 1 + random(90);
    const loss = ['0.5', 'nan', 'inf', '-inf', '1e-05', '', '  7 '][random(7)] ?? '';
    const cells = [String(epoch), ...(timed ? [String(seconds)] : []), loss, String(random(1000) / 1000)];
    const odd = random(10);
    if (odd === 0) lines.push(cells.slice(1).join(','));
    else if (odd === 1) lines.push(`${cells.join(',')},9`);
    else if (odd === 2) lines.push(`\0\0\0${cells.join(',')}`);
    else if (odd === 3) lines.push(cells.with(-1, 'x').join(','));
    else lines.push(cells.join(','));
    if (happening !== 2) epoch++;
  }
  return lines.join(end) + ['', end, `${end}7,0.`][random(3)];
};

type Row = Pick<ObservedRow, 'epoch' | 'fileAttempt' | 'elapsedS' | 'metrics'>;

/** Says what a whole file holds, as plainly as can be. */
const readWhole = (text: string): { rows: Row[]; keptOut: number } => {
  const lines = text.replaceAll('\r', '').split('\n');
  const unfinished = lines.pop() ?? '';
  const names = (lines.shift() ?? '').split(',').map((name) => name.trim());
  const timed = names.includes('time');
  const rows: Row[] = [];
  let keptOut = lines.length > 0 && unfinished.includes('\0') ? 1 : 0;
  for (const line of lines) {
    if (line.includes('\0')) keptOut++;
    const cells = line
      .replaceAll('\0', '')
      .split(',')
      .map((cell) => cell.trim());
    if (cells.length !== names.length || cells.includes('x')) {
      if (!line.includes('\0')) keptOut++;
      continue;
    }
    const numbers = cells.map((cell) => (cell === '' || !Number.isFinite(Number(cell)) ? null : Number(cell)));
    const [epoch = null, ...values] = numbers;
    const elapsedS = timed ? (values.shift() ?? null) : null;
    const before = rows.at(-1);
    const fell = before && epoch !== null && epoch < before.epoch;
    const again = before && (timed ? Number(elapsedS) < Number(before.elapsedS) : epoch === before.epoch);
    rows.push({
      epoch: epoch ?? -1,
      fileAttempt: (before?.fileAttempt ?? 0) + (fell || again ? 1 : 0),
      elapsedS,
      metrics: { 'train/loss': values[0] ?? null, 'val/loss': values[1] ?? null },
    });
  }
  return { rows, keptOut };
};

t.test(`${CASES} files, written in pieces, looked at and copied at any moment, are read as if whole`, async (t) => {
  const folder = t.testdir({});
  const signal = AbortSignal.timeout(80_000);
  const failed: { seed: number; text: string; wanted: unknown; found: unknown }[] = [];
  for (let seed = 1; seed <= CASES; seed++) {
    const random = createRandom(seed);
    const path = join(folder, `${seed % 10}.csv`);
    const text = writeFile(random);
    writeFileSync(path, '');
    let tailer = createResultsTailer(path);
    let rows: Row[] = [];
    let keptOut = 0;
    const look = async () => {
      const found = await tailer.look(signal);
      for (const { epoch, fileAttempt, elapsedS, metrics } of found.rows) {
        rows.push({ epoch, fileAttempt, elapsedS, metrics });
      }
      keptOut = found.results?.rowsKeptOut ?? 0;
    };
    for (let written = 0; written < text.length; ) {
      const doing = random(8);
      if (doing <= 4) {
        const piece = text.slice(written, written + 1 + random(60));
        appendFileSync(path, piece);
        written += piece.length;
      } else if (doing <= 5) {
        await look();
      } else if (doing === 6) {
        copyFileSync(path, `${path}.copy`);
        renameSync(`${path}.copy`, path);
      } else {
        tailer = createResultsTailer(path);
        rows = [];
      }
    }
    await look();
    const wanted = readWhole(text);
    if (JSON.stringify({ rows, keptOut }) !== JSON.stringify(wanted)) {
      failed.push({ seed, text, wanted, found: { rows, keptOut } });
    }
  }
  t.same(failed.slice(0, 1), [], `${failed.length} of ${CASES} differ`);
});
