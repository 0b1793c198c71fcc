import t from 'tap';
import {
  chooseFields,
  createGpuRowParser,
  csvAbsences,
  FIELDS_OF_METRIC,
  parseKnownFields,
} from '../../../src/collectors/gpu/csv.ts';
import { notesOn } from '../../../src/collectors/gpu/gpu-notes.ts';
import { parsePciBusId } from '../../../src/collectors/gpu/pci-bus-id.ts';
import { GPU_METRICS } from '../../../src/core/metrics.ts';

const HELP_OF_A_NEW_DRIVER = `List of valid properties to query for the switch "--query-gpu":

"index"
Zero based index of the GPU. Can change at each boot.

"name" or "gpu_name"
The official product name of the GPU.

"uuid" or "gpu_uuid"
This value is the globally unique immutable alphanumeric identifier of the GPU.

Section about "clocks" properties

"clocks_event_reasons.active" or "clocks_throttle_reasons.active"
Bitmask of active clock event reasons.

"0: Default" means multiple contexts are allowed per device.

"clocks.current.sm" or "clocks.sm"
Current frequency of SM clock.

"memory.used"
"power.draw"
"power.draw.instant"
`;

const HELP_OF_AN_OLD_DRIVER = '"index"\n"name"\n"uuid"\n"clocks_throttle_reasons.active"\n"power.draw"\n"clocks.sm"\n';

const FIELDS = [
  'uuid',
  'index',
  'count',
  'driver_version',
  'utilization.gpu',
  'memory.used',
  'power.draw',
  'clocks_event_reasons.active',
  'name',
];

t.test('only fields that the program knows are asked, what identifies the GPU first and its name last', async (t) => {
  t.same(chooseFields(parseKnownFields(HELP_OF_A_NEW_DRIVER)), [
    'uuid',
    'index',
    'memory.used',
    'power.draw',
    'power.draw.instant',
    'clocks.current.sm',
    'clocks_event_reasons.active',
    'name',
  ]);
});

t.test('an old driver is asked by its old names', async (t) => {
  t.same(chooseFields(parseKnownFields(HELP_OF_AN_OLD_DRIVER)), [
    'uuid',
    'index',
    'power.draw',
    'clocks.sm',
    'clocks_throttle_reasons.active',
    'name',
  ]);
  t.same(chooseFields(parseKnownFields('nvidia-smi: command not understood')), [], 'a program that knows no field');
});

t.test('a line becomes a sample in bytes, watts and throttle bits', async (t) => {
  const row = createGpuRowParser(FIELDS)(
    'GPU-1f, 3, 8, 550.163.01, 97, 30494, 231.55, 0x0000000000000044, NVIDIA A100-PCIE-40GB',
  );
  t.match(row, {
    index: 3,
    count: 8,
    gpu: { uuid: 'GPU-1f', index: 3, name: 'NVIDIA A100-PCIE-40GB', driver: '550.163.01' },
    values: { utilization: 97, memoryUsed: 30494 * 2 ** 20, power: 231.55, throttle: 0x44 },
  });
  t.same(row?.reasons, {});
});

t.test('an idle GPU has 0 %, one that does not say has null and the reason', async (t) => {
  const idle = createGpuRowParser(FIELDS)('GPU-1f, 0, 1, 550.163.01, 0, 4, 38.20, 0x0000000000000001, NVIDIA A30');
  t.equal(idle?.values.utilization, 0);
  for (const text of ['[N/A]', '[Unknown Error]', '[Insufficient Permissions]', '[Not Supported]', 'N/A', 'ERR!', '']) {
    const row = createGpuRowParser(FIELDS)(`GPU-1f, 0, 1, 550.163.01, ${text}, 4, 38.20, 0x1, NVIDIA A30`);
    t.equal(row?.values.utilization, null, `"${text}" is not a number`);
    t.equal(row?.reasons.utilization, text);
    t.equal(row?.values.power, 38.2, 'the other cells count');
  }
});

t.test('any one field that says N/A takes its own metric and no other', async (t) => {
  const fields = [...new Set(Object.values(FIELDS_OF_METRIC).flatMap(([first]) => first ?? []))];
  const parse = createGpuRowParser(['uuid', 'index', ...fields, 'name']);
  const cells = fields.map((_, i) => String(i + 1));
  const line = (given: readonly string[]) => `GPU-1f, 0, ${given.join(', ')}, A100`;
  const whole = parse(line(cells))?.values ?? {};
  t.ok(Object.keys(whole).length >= 10);
  for (const [place, field] of fields.entries()) {
    const row = parse(line(cells.with(place, '[N/A]')));
    const changed = Object.keys(whole).filter((metric) => row?.values[metric] !== whole[metric]);
    const own = Object.entries(FIELDS_OF_METRIC).flatMap(([metric, [first]]) => (first === field ? [metric] : []));
    t.same(
      changed,
      own.filter((metric) => whole[metric] !== null),
      field,
    );
    for (const metric of own) t.match(row, { values: { [metric]: null }, reasons: { [metric]: '[N/A]' } });
  }
});

t.test('power comes from the first of its fields that holds a number', async (t) => {
  const fields = ['uuid', 'index', 'power.draw', 'power.draw.instant', 'name'];
  t.equal(createGpuRowParser(fields)('GPU-1f, 0, [N/A], 49.68, A100')?.values.power, 49.68);
  t.equal(createGpuRowParser(fields)('GPU-1f, 0, 51.00, 49.68, A100')?.values.power, 51);
});

t.test('a name may hold a comma, and a Windows line end', async (t) => {
  t.equal(
    createGpuRowParser(['uuid', 'index', 'name'])('GPU-1f, 0, Quadro, the old one\r')?.gpu.name,
    'Quadro, the old one',
  );
});

t.test('messages and lines that were cut off are no samples', async (t) => {
  const whole = 'GPU-1f, 0, 1, 550.163.01, 97, 30494, 231.55, 0x0000000000000004, NVIDIA A30';
  for (const line of [
    'Unable to determine the device handle for GPU1: GPU is lost.  Reboot the system to recover this GPU',
    'No devices were found',
    '[Unknown Error], 0, 1, 550.163.01, 97, 30494, 231.55, 0x4, NVIDIA A30',
    'GPU-1f, [N/A], 1, 550.163.01, 97, 30494, 231.55, 0x4, NVIDIA A30',
    '',
    whole.slice(0, whole.indexOf('231')),
  ]) {
    t.equal(createGpuRowParser(FIELDS)(line), null, line);
  }
});

t.test('the place on the bus is told as the kernel log names it', async (t) => {
  const parse = createGpuRowParser(['uuid', 'index', 'pci.bus_id', 'name']);
  t.equal(parse('GPU-1f, 0, 00000000:6A:00.0, A30')?.gpu.pciBusId, '0000:6a:00');
  t.equal(parse('GPU-1f, 0, [N/A], A30')?.gpu.pciBusId, null);
  t.equal(parsePciBusId('PCI:0008:01:00'), '0008:01:00');
  t.equal(parsePciBusId('000F001E:00:00.0'), 'f001e:00:00', 'a virtual machine may have a domain of more digits');
  for (const text of ['', '61:00.0', '0000:61', '0000:61:00.0 or so']) t.equal(parsePciBusId(text), null, text);
});

t.test('yes and no are 1 and 0 where a flag stands, and nowhere else', async (t) => {
  const parse = createGpuRowParser([
    'uuid',
    'index',
    'remapped_rows.pending',
    'remapped_rows.failure',
    'fan.speed',
    'name',
  ]);
  t.match(parse('GPU-1f, 0, Yes, No, No, A30')?.values, { rowRemapPending: 1, rowRemapFailed: 0, fan: null });
  t.match(parse('GPU-1f, 0, [N/A], 1, 30, A30')?.values, { rowRemapPending: null, rowRemapFailed: 1, fan: 30 });
});

t.test('every metric is a number or has a reason for a person, and a lost GPU is told as such', async (t) => {
  const row = createGpuRowParser(FIELDS)('GPU-1f, 0, 1, 580.1, [GPU is lost], 4, [N/A], 0x1, NVIDIA A30');
  const notes = notesOn('GPU-1f', { ...csvAbsences(FIELDS), ...row?.reasons });
  t.match(notes, {
    uuid: 'GPU-1f',
    trouble: 'GPU is lost',
    absent: {
      utilization: 'GPU is lost',
      power: 'N/A',
      energy: 'only NVML gives it',
      fan: 'this nvidia-smi does not know fan.speed',
    },
  });
  const known = Object.entries(row?.values ?? {}).flatMap(([metric, value]) => (value === null ? [] : [metric]));
  t.same(
    [...known, ...Object.keys(notes.absent)].sort(),
    Object.keys(GPU_METRICS)
      .filter((metric) => metric !== 'xid' && metric !== 'runMemory')
      .sort(),
  );
  t.equal(notesOn('GPU-1f', { fan: '[N/A]', power: '[Unknown Error]' }).trouble, null, 'a gap is no trouble');
});

t.test('what a GPU is and why it has no number stays the same object until it is told otherwise', async (t) => {
  const parse = createGpuRowParser(['uuid', 'index', 'utilization.gpu', 'fan.speed', 'power.limit', 'name']);
  const first = parse('GPU-1f, 0, 97, [N/A], 250.00, NVIDIA A30');
  parse('GPU-2e, 1, 12, [N/A], 250.00, NVIDIA A30');
  const again = parse('GPU-1f, 0, 42, [N/A], 250.00, NVIDIA A30');
  t.equal(again?.gpu, first?.gpu);
  t.equal(again?.reasons, first?.reasons);
  t.equal(again?.values.utilization, 42);
  t.match(parse('GPU-1f, 0, 42, [N/A], 200.00, NVIDIA A30')?.gpu, { powerLimit: 200 });
  t.same(parse('GPU-1f, 0, [Unknown Error], [N/A], 200.00, NVIDIA A30')?.reasons, {
    utilization: '[Unknown Error]',
    fan: '[N/A]',
  });
});
