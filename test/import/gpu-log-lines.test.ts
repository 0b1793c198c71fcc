import t from 'tap';
import { createGpuLogReader } from '../../src/import/gpu-log-lines.ts';

const MIB = 2 ** 20;
const AT = Date.UTC(2025, 8, 9, 14, 17, 51, 378);

const read = (lines: readonly string[], zone = 'UTC') => {
  const readLine = createGpuLogReader(zone);
  return lines.map((line, index) => readLine(line, index + 1));
};
const rows = (lines: readonly string[], zone = 'UTC') =>
  read(lines, zone).flatMap((line) => ('row' in line ? [line.row] : []));
const passedOver = (lines: readonly string[]) =>
  read(lines).flatMap((line) => ('passedOver' in line ? [line.passedOver] : []));

t.test('a line with units in its cells is read in the units of the history', async (t) => {
  const lines = [
    'timestamp, index, name, utilization.gpu [%], memory.used [MiB], memory.total [MiB], power.draw [W], temperature.gpu, clocks.current.sm [MHz]',
    '2025/09/09 14:17:51.378, 0, NVIDIA A100-PCIE-40GB, 95 %, 24741 MiB, 40960 MiB, 232.75 W, 63, 1395 MHz',
  ];
  t.same(read(lines).at(-1), {
    row: {
      at: AT,
      gpu: 0,
      values: {
        utilization: 95,
        memoryUsed: 24_741 * MIB,
        memoryTotal: 40_960 * MIB,
        power: 232.75,
        temperature: 63,
        clockSm: 1395,
      },
    },
    name: 'NVIDIA A100-PCIE-40GB',
  });
});

t.test('units in the header alone, none at all, and any order of columns come to the same', async (t) => {
  const expected = [{ at: AT, gpu: 3, values: { utilization: 95, memoryUsed: 24_741 * MIB } }];
  const variants = [
    ['timestamp, index, utilization.gpu [%], memory.used [MiB]', '2025/09/09 14:17:51.378, 3, 95, 24741'],
    ['memory.used, utilization.gpu, index, timestamp', '24741, 95, 3, 2025/09/09 14:17:51.378'],
    ['timestamp,index,utilization.gpu [%],memory.used [MiB]', '2025/09/09 14:17:51.378,3,95 %,24741 MiB'],
    ['index, timestamp, memory.used [MiB], utilization.gpu [%]', '3, 2025-09-09T14:17:51.378Z, 24741 MiB, 95 %'],
    ['index, timestamp, memory.used [MiB], utilization.gpu [%]', '3, 2025-09-09 16:17:51.378+02:00, 24741 MiB, 95 %'],
  ];
  for (const lines of variants) t.same(rows(lines), expected, lines.join(' | '));
});

t.test('a cell that is not a number is null, and a line of such cells alone is passed over', async (t) => {
  const header = 'timestamp, index, utilization.gpu [%], power.draw [W], clocks_throttle_reasons.active';
  for (const word of ['[N/A]', '[Not Supported]', '[Unknown Error]', '[GPU is lost]', 'N/A', '']) {
    const [row] = rows([header, `2025/09/09 14:17:51.378, 0, 95 %, ${word}, 0x0000000000000004`]);
    t.same(row?.values, { utilization: 95, power: null, throttle: 4 }, word);
  }
  t.same(passedOver([header, '2025/09/09 14:17:51.378, 0, [N/A], [N/A], [N/A]']), ['no value in it']);
});

t.test('GPUs are told apart by UUID, else by index, else by their place on the bus, else by name', async (t) => {
  const two = (header: string, first: string, second: string) =>
    rows([
      `timestamp, ${header}, utilization.gpu [%]`,
      `2025/09/09 14:17:51.378, ${first}, 1 %`,
      `2025/09/09 14:17:51.378, ${second}, 2 %`,
      `2025/09/09 14:17:52.378, ${second}, 3 %`,
    ]).map(({ gpu }) => gpu);
  t.same(two('index, uuid', '0, GPU-aa-1', '1, GPU-bb-2'), ['GPU-aa-1', 'GPU-bb-2', 'GPU-bb-2']);
  t.same(two('index', '1', '7'), [1, 7, 7]);
  t.same(two('pci.bus_id', '00000000:01:00.0', '00000000:41:00.0'), [0, 1, 1]);
  t.same(two('name', 'NVIDIA A100', 'NVIDIA T4'), [0, 1, 1]);
  t.throws(() => two('name', 'NVIDIA A100', 'NVIDIA A100'), {
    message: 'line 3: a second line of the same moment, and no column says which GPU it is of; log uuid or index too',
  });
  t.same(passedOver(['timestamp, index, utilization.gpu [%]', '2025/09/09 14:17:51.378, [Unknown Error], 1 %']), [
    'does not say which GPU it is of',
  ]);
});

t.test('a logger that was restarted writes its header again, perhaps another one', async (t) => {
  const found = rows([
    'timestamp, index, utilization.gpu [%]',
    '2025/09/09 14:17:51.378, 0, 1 %',
    'timestamp, utilization.gpu [%], index, temperature.gpu',
    '2025/09/09 14:18:51.378, 2 %, 0, 60',
  ]);
  t.same(
    found.map(({ values }) => values),
    [{ utilization: 1 }, { utilization: 2, temperature: 60 }],
  );
});

t.test('lines that are none of the log are passed over with the reason, and cost no other line', async (t) => {
  const lines = [
    'Warning: persistence mode is disabled',
    'timestamp, index, name, utilization.gpu [%]',
    '2025/09/09 14:17:51.378, 0, NVIDIA A100, 95 %',
    '2025/09/09 14:17:52.3782025/09/09 14:17:52.378, 0',
    'yesterday, 0, NVIDIA A100, 95 %',
    'Unable to determine the device handle for GPU 0000:01:00.0: Unknown Error',
    '',
    '2025/09/09 14:17:53.378, 0, Strange, Name, 95 %',
  ];
  t.same(passedOver(lines), [
    'before the header',
    'other than 4 cells',
    'its timestamp cannot be read',
    'other than 4 cells',
  ]);
  t.equal(rows(lines).length, 2, 'a name may hold what separates cells');
});

t.test('what cannot be read without guessing is refused, with the line and the column', async (t) => {
  const refusal = (...lines: readonly string[]) => {
    try {
      read(lines);
      return null;
    } catch (error) {
      return error instanceof Error ? `${error.name}: ${error.message}` : null;
    }
  };
  t.match(
    refusal('timestamp;index;power.draw [W]', '2025/09/09 14:17:51,378;0;232,75 W'),
    /^GpuLogError: line 1, column 10: ";" stands between the columns; expected ", "/,
  );
  t.match(
    refusal('timestamp, index, power.draw [W]', '2025/09/09 14:17:51.378, 0, 232,75 W'),
    /^GpuLogError: line 2, column power.draw \[W\]: "232,75 W" has a decimal comma/,
  );
  t.match(refusal('2025/09/09 14:17:51.378, 0, 95 %'), /^GpuLogError: line 1: expected the header first/);
  t.match(refusal('timestamp, index, pstate'), /^GpuLogError: line 1: none of the columns is a metric/);
});

t.test('local times are those of the zone, on both sides of a change of its clock', async (t) => {
  const log = (times: readonly string[]) => [
    'timestamp, index, utilization.gpu [%]',
    ...times.map((time) => `${time}, 0, 1 %`),
  ];
  const utc = (times: readonly string[]) =>
    rows(log(times), 'Europe/Berlin').map(({ at }) => new Date(at).toISOString().slice(5, 19));
  t.same(utc(['2025/07/01 12:00:00.000', '2025/12/01 12:00:00.000']), ['07-01T10:00:00', '12-01T11:00:00']);
  t.same(
    utc(['2025/10/26 02:10:00.000', '2025/10/26 02:50:00.000', '2025/10/26 02:10:00.000', '2025/10/26 02:50:00.000']),
    ['10-26T00:10:00', '10-26T00:50:00', '10-26T01:10:00', '10-26T01:50:00'],
    'the hour that comes twice is told by the order of the lines',
  );
  t.same(read(log(['2025/03/30 02:30:00.000']), 'Europe/Berlin').at(-1), {
    passedOver: 'the clock of Europe/Berlin leaves its time out',
  });
});
