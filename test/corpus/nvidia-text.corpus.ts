// What nvidia-smi printed on other people's machines beside XML: CSV, help, error messages, tables.
import t from 'tap';
import { chooseFields, createGpuRowParser, FIELDS_OF_METRIC, parseKnownFields } from '../../src/collectors/gpu/csv.ts';
import { parseMigList } from '../../src/collectors/gpu/mig-list.ts';
import { parseProcessRow } from '../../src/collectors/gpu/processes.ts';
import { explainSmiFailure, parseUnreachableGpus, saysNoGpu } from '../../src/collectors/gpu/smi-errors.ts';
import { parseXid } from '../../src/collectors/process/kernel-log-parser.ts';
import { recorded, sectionOf, sectionsOf, tableOf } from './nvidia-files.ts';

const CAPTURES = recorded('captures', /\.txt$/);
const HELPS = recorded('text', /^help-query-gpu\./);
const IN_MIB = new Set(['memory.used', 'memory.total', 'memory.reserved']);

/** What the cell of a metric says, by itself; undefined where the table has no such cell. */
const cellOf = (row: ReadonlyMap<string, string>, metric: string): string | undefined => {
  const fields = Object.entries(FIELDS_OF_METRIC).find(([name]) => name === metric)?.[1] ?? [];
  const cells = fields.flatMap((field) => (row.has(field) ? [{ field, cell: row.get(field) ?? '' }] : []));
  const { field = '', cell } =
    cells.find((each) => /^\d/.test(each.cell) || /^(Yes|No)$/.test(each.cell)) ?? cells[0] ?? {};
  return cell !== undefined && IN_MIB.has(field) && /^\d+$/.test(cell) ? String(Number(cell) * 2 ** 20) : cell;
};

const YES_OR_NO: Readonly<Record<string, number>> = { Yes: 1, No: 0 };

/** Every table of GPUs in the recordings, and the lines as the program would have printed them for our question. */
const TABLES = [
  ...CAPTURES.flatMap(({ file, text }) =>
    ['idle', 'load'].map((phase) => {
      const known = parseKnownFields(sectionOf(text, 'capabilities :: help-query-gpu'));
      return { name: `${file} ${phase}`, rows: tableOf(sectionOf(text, `${phase} :: query-gpu`)), known, gpus: 1 };
    }),
  ),
  ...recorded('synth', /query\.(ok|fnf|nosup|noperm|unkfield|lost|unknown)\.csv\.txt$/).map(({ file, text }) => {
    const rows = tableOf(text);
    const known = new Set(rows.flatMap((row) => [...row.keys()]));
    const isOneMissing = /query\.(lost|unknown)\./.test(file);
    return { name: file, rows, known, gpus: isOneMissing ? (/smi(580|595)/.test(file) ? 1 : 0) : 2 };
  }),
].map((table) => {
  const fields = chooseFields(table.known).filter((field) => table.rows[0]?.has(field) ?? true);
  return { ...table, fields, lines: table.rows.map((row) => fields.map((field) => row.get(field) ?? '').join(', ')) };
});

t.test('each cell of each table is a number as it stands there, or null with its text as the reason', async (t) => {
  t.equal(TABLES.length, 8 + 35);
  for (const { name, rows, fields, lines, gpus } of TABLES) {
    t.equal(rows.length, gpus, `${name}: GPUs`);
    for (const [i, line] of lines.entries()) {
      const row = rows[i] ?? new Map<string, string>();
      const found = createGpuRowParser(fields)(line);
      t.equal(found?.gpu.uuid, row.get('uuid'), name);
      t.equal(found?.gpu.name, row.get('name'), name);
      const values = Object.entries(found?.values ?? {});
      t.ok(values.length >= 11, `${name}: ${values.length} metrics`);
      for (const [metric, value] of values) {
        const cell = cellOf(row, metric) ?? '';
        const wanted = YES_OR_NO[cell] ?? (/^\d/.test(cell) ? Number(cell) : null);
        t.equal(value, wanted, `${name}: ${metric} of ${cell}`);
        t.equal(found?.reasons[metric], wanted === null ? cell : undefined, `${name}: why ${metric}`);
      }
    }
  }
});

t.test('under MIG the whole GPU has memory and power, and no utilization', async (t) => {
  for (const { name, fields, lines } of TABLES.filter((table) => table.name.includes('h100-mig'))) {
    const { values, reasons } = createGpuRowParser(fields)(lines[0] ?? '') ?? {};
    t.match(values, { utilization: null, memoryUtilization: null, memoryTotal: 81559 * 2 ** 20, power: Number }, name);
    t.match(reasons, { utilization: '[N/A]', rowRemapPending: '[N/A]' }, name);
  }
});

t.test('a line that was cut off anywhere is no GPU, or has the numbers of the whole line', async (t) => {
  let cuts = 0;
  for (const { name, fields, lines } of TABLES) {
    const parse = createGpuRowParser(fields);
    for (const line of lines) {
      const whole = JSON.stringify(parse(line)?.values);
      for (let length = 0; length < line.length; length += 1) {
        const found = parse(line.slice(0, length));
        cuts += 1;
        if (found !== null && JSON.stringify(found.values) !== whole) t.fail(`${name}: cut at ${length}`);
      }
    }
  }
  t.ok(cuts > 5000, `${cuts} cuts`);
});

t.test('with units, which nobody asked for, a cell is no number rather than a wrong one', async (t) => {
  for (const { file, text } of recorded('synth', /query\.ok\.csv,noheader\.txt$/)) {
    const fields = ['index', 'name', 'uuid', 'utilization.gpu', 'utilization.memory', 'memory.used', 'memory.total'];
    for (const line of text.split('\n').filter((each) => each.includes('GPU-'))) {
      const { utilization, memoryUsed, memoryTotal } = createGpuRowParser(fields)(line)?.values ?? {};
      t.same([utilization, memoryUsed, memoryTotal], [null, null, null], file);
    }
  }
});

t.test('no line of any other text is a GPU, a process or an XID', async (t) => {
  const parse = createGpuRowParser(['uuid', 'index', 'memory.used', 'name']);
  const texts = [...CAPTURES, ...recorded('text', /./), ...recorded('errors', /./), ...recorded('synth', /\.txt$/)];
  t.ok(texts.length > 150);
  for (const { file, text } of texts) {
    for (const line of text.split('\n')) {
      if (parse(line) !== null || parseProcessRow(line) !== null || parseXid(line) !== null) t.fail(`${file}: ${line}`);
    }
  }
});

t.test('each process of a capture is there, with the memory that the table says', async (t) => {
  for (const { file, text } of CAPTURES) {
    const rows = tableOf(sectionOf(text, 'load :: query-compute-apps'));
    t.ok(rows.length >= 2, file);
    for (const row of rows) {
      const asked = ['timestamp', 'gpu_uuid', 'pid', 'used_gpu_memory', 'process_name'];
      t.match(parseProcessRow(asked.map((field) => row.get(field) ?? '').join(', ')), {
        gpuUuid: row.get('gpu_uuid'),
        pid: Number(row.get('pid')),
        memory: Number(row.get('used_gpu_memory')) * 2 ** 20,
        name: row.get('process_name'),
      });
    }
  }
});

t.test('the MIG instances of a capture are named, and where there are none there are none', async (t) => {
  for (const { file, text } of CAPTURES) {
    const found = parseMigList(sectionOf(text, 'capabilities :: list')).map(
      ({ index, profile }) => `${index} ${profile}`,
    );
    t.same(found, file.includes('-mig') ? ['0 3g.40gb', '1 2g.20gb', '2 1g.10gb', '3 1g.10gb'] : [], file);
  }
});

t.test('the fields of every driver generation are known, and for each metric one is asked', async (t) => {
  t.equal(HELPS.length, 5);
  for (const { file, text } of HELPS) {
    const known = parseKnownFields(text);
    t.equal(known.size, new Set([...text.matchAll(/^".*"$/gm)].flatMap(([line]) => line.split(' or '))).size, file);
    const asked = chooseFields(known);
    const without = Object.entries(FIELDS_OF_METRIC).filter(
      ([, fields]) => !fields.some((field) => asked.includes(field)),
    );
    const isOld = /470|535|550/.test(file);
    t.same(
      without.map(([metric]) => metric),
      isOld ? [...(file.includes('470') ? ['memoryReserved'] : []), 'rowRemapPending', 'rowRemapFailed'] : [],
      file,
    );
    t.ok(asked.includes('pci.bus_id'), file);
  }
  for (const { file, text } of CAPTURES) {
    const known = parseKnownFields(sectionOf(text, 'capabilities :: help-query-gpu'));
    const [row] = tableOf(sectionOf(text, 'idle :: query-gpu'));
    t.same(
      [...(row?.keys() ?? [])].filter((field) => !known.has(field)),
      [],
      `${file}: fields that it printed`,
    );
    t.ok(sectionsOf(text).size > 20, file);
  }
});

/** What NVML's answer to the first call means, by its code. */
const MEANS: Readonly<Record<string, RegExp>> = {
  0: /^the NVIDIA driver finds no GPU/,
  4: /^this user may not use the GPUs/,
  9: /^the NVIDIA driver is not loaded/,
  12: /libnvidia-ml\.so\.1 is missing/,
  15: /^a GPU has fallen off the bus/,
  17: /^the operating system blocks the GPU/,
  18: /^the driver was updated/,
  999: /^the GPU access was cut/,
};

t.test(
  'each error of each driver generation is told in plain words, and only one of them means "no GPU"',
  async (t) => {
    const errors = recorded('errors', /\.txt$/);
    t.equal(errors.length, 40);
    for (const { file, text } of errors) {
      const [, code = '', exit] = /return=(\d+) ; exit=(\d+)/.exec(text) ?? [];
      const said = text.replace(/^#.*\n/gm, '');
      t.match(explainSmiFailure(Number(exit), said), MEANS[code] ?? /never/, file);
      t.equal(saysNoGpu(said), code === '0', file);
    }
  },
);

t.test('a GPU that cannot be opened is told by its index, and is never "no GPU"', async (t) => {
  const texts = recorded(
    'synth',
    /(query\.(lost|unknown)\.csv|table\.(gpu1-lost|handle-unknown)|gpu1-(lost|unknown)\.xml)/,
  );
  t.equal(texts.length, 50);
  for (const { file, text } of texts) {
    const [unreachable, ...others] = parseUnreachableGpus(text);
    t.same(others, [], file);
    t.same(unreachable?.index, file.includes('handle-unknown') ? 0 : 1, file);
    t.equal(unreachable?.trouble, file.includes('lost') ? 'GPU is lost' : 'Unknown Error', file);
    t.notOk(saysNoGpu(text), file);
  }
});
