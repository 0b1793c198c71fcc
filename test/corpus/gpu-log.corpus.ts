import t from 'tap';
import { createGpuLogReader } from '../../src/import/gpu-log-lines.ts';
import { recorded, sectionsOf, tableOf } from './nvidia-files.ts';

t.test('every table of GPUs that a real nvidia-smi printed is read as a log', async (t) => {
  for (const { file, text } of recorded('captures', /\.txt$/)) {
    const tables = [...sectionsOf(text)].filter(([title]) => title.includes('query-gpu (csv'));
    t.not(tables.length, 0, file);
    for (const [title, csv] of tables) {
      const readLine = createGpuLogReader('UTC');
      const lines = csv
        .trim()
        .split('\n')
        .map((line, index) => readLine(line, index + 1));
      const rows = lines.flatMap((line) => ('row' in line ? [line.row] : []));
      const cells = tableOf(csv);
      t.equal(rows.length, cells.length, `${file}: ${title}`);
      for (const [index, row] of rows.entries()) {
        const cell = (field: string) => cells[index]?.get(field);
        t.equal(row.gpu, cell('uuid'));
        t.equal(
          new Date(row.at).toISOString().slice(0, 19),
          cell('timestamp')?.replaceAll('/', '-').replace(' ', 'T').slice(0, 19),
        );
        t.equal((row.values.memoryUsed ?? 0) / 2 ** 20, Number(cell('memory.used')));
        t.equal(row.values.temperature, Number(cell('temperature.gpu')));
        t.equal(row.values.power, Number(cell('power.draw')));
      }
    }
  }
});
