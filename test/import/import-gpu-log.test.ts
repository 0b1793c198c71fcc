import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { GpuLogRow } from '../../src/core/gpu-log.ts';
import { importGpuLog } from '../../src/import/import-gpu-log.ts';

const HEADER = 'timestamp, index, utilization.gpu [%]';
const line = (second: number, gpu = 0) =>
  `2025/09/09 14:${String(Math.floor(second / 60)).padStart(2, '0')}:${String(second % 60).padStart(2, '0')}.000, ${gpu}, ${second % 101} %`;

const importInto = async (t: Test, content: string | Buffer) => {
  const file = join(t.testdir({}), 'gpu.csv');
  writeFileSync(file, content);
  const rows: GpuLogRow[] = [];
  const batches: number[] = [];
  const log = await importGpuLog({
    file,
    zone: 'UTC',
    take: async (batch) => {
      rows.push(...batch);
      batches.push(batch.length);
      return { taken: batch.length, known: 0 };
    },
    onProgress: () => {},
  });
  return { log, rows, batches };
};

t.test('a log comes over in order and in pieces, whatever ends its lines and in whatever it is written', async (t) => {
  const lines = [HEADER, ...Array.from({ length: 3000 }, (_, i) => line(i, i % 2))];
  const expected = await importInto(t, `${lines.join('\n')}\n`);
  t.same(expected.batches, [1000, 1000, 1000]);
  t.same(expected.log, {
    taken: 3000,
    known: 0,
    gpus: [
      { gpu: 0, name: null, samples: 1500 },
      { gpu: 1, name: null, samples: 1500 },
    ],
    period: { firstAt: Date.UTC(2025, 8, 9, 14), lastAt: Date.UTC(2025, 8, 9, 14, 49, 59) },
    passedOver: [],
  });
  const crlf = `${lines.join('\r\n')}\r\n`;
  const variants = [crlf, `\uFEFF${crlf}`, Buffer.from(`\uFEFF${crlf}`, 'utf16le')];
  for (const content of variants) t.same((await importInto(t, content)).rows, expected.rows);
});

t.test('the last line of a log that was cut off is passed over, and said to be', async (t) => {
  const { log, rows } = await importInto(t, `${HEADER}\n${line(1)}\n2025/09/09 14:00:02.000, 0, 1`);
  t.equal(rows.length, 1);
  t.same(log.passedOver, [{ why: 'the last one, which has no end', lines: 1, firstLine: 3 }]);
});

t.test('lines that are passed over are counted by their reason, with the first of each', async (t) => {
  const { log } = await importInto(t, `${HEADER}\n${line(1)}\n???\n${line(2)}\n???\nnow, 0, 1 %\n`);
  t.same(log.passedOver, [
    { why: 'other than 3 cells', lines: 2, firstLine: 3 },
    { why: 'its timestamp cannot be read', lines: 1, firstLine: 6 },
  ]);
});

t.test('a file that is no log is refused with what was found in it', async (t) => {
  await t.rejects(importInto(t, ''), { name: 'GpuLogError', message: /holds no line of nvidia-smi/ });
  await t.rejects(importInto(t, 'No devices were found\n'), {
    name: 'GpuLogError',
    message: /none of its lines could be taken; 1 from line 1 on: before the header/,
  });
  await t.rejects(importInto(t, Buffer.alloc(200_000, 'x')), {
    name: 'GpuLogError',
    message: /line 1 has no end; expected lines of text/,
  });
});
