// Two doubles of one driver, the library and the program: on one scenario they must say the same.
import { execFileSync } from 'node:child_process';
import t from 'tap';
import { installNvidiaSmi } from './fake-program.js';
import { noCompiler } from './nvml/build.js';
import { DRIVERS } from './nvml/generations.js';
import { A100, createStage, T4 } from './nvml/stage.ts';

const MIB = 2n ** 20n;
const H100 = { uuid: 'GPU-h', name: 'NVIDIA H100 80GB HBM3', memoryMib: 81_559, powerLimit: 700 };
const RTX = { uuid: 'GPU-r', name: 'NVIDIA GeForce RTX 4090', memoryMib: 24_564, powerLimit: 450 };
const MIG = [
  {
    slot: 2,
    uuid: 'MIG-1',
    profile: '3g.40gb',
    gpuInstance: 2,
    computeInstance: 0,
    memoryMib: 40_448,
    multiprocessors: 60,
  },
];
const training = { startS: -40, epochs: 9, secondsPerEpoch: 600, seed: 1 };
const SCENARIO = {
  gpus: [A100, T4, H100, { ...H100, uuid: 'GPU-m', mig: MIG }, RTX],
  trainings: [
    { ...training, name: 'a', pid: 11 },
    { ...training, name: 'h', pid: 12, gpu: 2, seed: 2 },
  ],
  processes: [
    { gpu: 3, mig: 0, pid: 13, name: 'serve', memoryMib: 3000 },
    { gpu: 1, pid: 14, name: 'notebook', memoryMib: 900, utilization: 17 },
  ],
  incidents: [
    { kind: 'ecc' as const, gpu: 0, atS: 3, uncorrected: 2, corrected: 5 },
    { kind: 'replays' as const, gpu: 2, atS: 3, count: 4 },
  ],
};
const FIELDS = [
  'index',
  'uuid',
  'utilization.gpu',
  'utilization.memory',
  'memory.used',
  'memory.free',
  'power.draw',
  'temperature.gpu',
  'clocks.current.sm',
  'clocks.current.memory',
  'clocks_throttle_reasons.active',
  'ecc.errors.uncorrected.volatile.total',
  'fan.speed',
];

/** What the library says of a GPU, in the words of the program. */
const rowOf = (nvml: ReturnType<typeof createStage>['nvml'], index: number, isNew: boolean): readonly string[] => {
  const gpu = nvml.gpu(index);
  const [rates, memory, reasons] = [Buffer.alloc(8), Buffer.alloc(40), Buffer.alloc(8)];
  const counted = nvml.call('nvmlDeviceGetUtilizationRates', gpu, rates) === 0;
  memory.writeUInt32LE(0x02000028);
  if (isNew) nvml.call('nvmlDeviceGetMemoryInfo_v2', gpu, memory);
  else nvml.call('nvmlDeviceGetMemoryInfo', gpu, memory);
  const [used, free] = (isNew ? [32, 24] : [16, 8]).map((at) => memory.readBigUInt64LE(at) / MIB);
  nvml.call('nvmlDeviceGetCurrentClocksThrottleReasons', gpu, reasons);
  const number = (name: string, ...args: readonly number[]) => {
    const found = nvml.number(name, gpu, ...args);
    return typeof found === 'number' ? String(found) : '[N/A]';
  };
  return [
    String(index),
    nvml.text('nvmlDeviceGetUUID', gpu),
    counted ? String(rates.readUInt32LE(0)) : '[N/A]',
    counted ? String(rates.readUInt32LE(4)) : '[N/A]',
    String(used),
    String(free),
    (Number(number('nvmlDeviceGetPowerUsage')) / 1000).toFixed(2),
    number('nvmlDeviceGetTemperature', 0),
    number('nvmlDeviceGetClockInfo', 1),
    number('nvmlDeviceGetClockInfo', 2),
    `0x${reasons.readBigUInt64LE().toString(16).padStart(16, '0').toUpperCase()}`,
    number('nvmlDeviceGetTotalEccErrors', 1, 0),
    number('nvmlDeviceGetFanSpeed'),
  ];
};

t.test(
  'the library and the program of every driver give the same numbers at the same moment',
  {
    skip: noCompiler,
  },
  async (t) => {
    for (const driver of Object.values(DRIVERS)) {
      const { nvml, step, folder, simulationFile } = createStage(t, { driver, ...SCENARIO });
      const program = installNvidiaSmi({ folder, simulationFile });
      step(5000);
      const printed = execFileSync(program, [`--query-gpu=${FIELDS.join(',')}`, '--format=csv,noheader,nounits'], {
        encoding: 'utf8',
      });
      t.same(
        printed
          .trim()
          .split('\n')
          .map((line) => line.split(', ')),
        [0, 1, 2, 3, 4].map((index) => rowOf(nvml, index, nvml.has('nvmlDeviceGetMemoryInfo_v2'))),
        driver,
      );
    }
  },
);

t.test('the XML has the same PCIe rates, errors, processes and instances', { skip: noCompiler }, async (t) => {
  const { nvml, step, folder, simulationFile } = createStage(t, SCENARIO);
  const program = installNvidiaSmi({ folder, simulationFile });
  step(5000);
  const gpus = execFileSync(program, ['-q', '-x'], { encoding: 'utf8' }).split('<gpu id=').slice(1);
  t.equal(gpus.length, 5);
  const inside = (text: string, element: string) =>
    [...text.matchAll(new RegExp(`<${element}>([^<]*)</${element}>`, 'g'))].map(([, inner]) => inner);
  for (const [index, xml] of gpus.entries()) {
    const gpu = nvml.gpu(index);
    t.same(inside(xml, 'tx_util'), [`${nvml.number('nvmlDeviceGetPcieThroughput', gpu, 0)} KB/s`]);
    t.same(inside(xml, 'rx_util'), [`${nvml.number('nvmlDeviceGetPcieThroughput', gpu, 1)} KB/s`]);
    t.same(inside(xml, 'replay_counter'), [String(nvml.number('nvmlDeviceGetPcieReplayCounter', gpu))]);
    const [count, list] = [Buffer.alloc(4), Buffer.alloc(8 * 24)];
    count.writeUInt32LE(8);
    nvml.call('nvmlDeviceGetComputeRunningProcesses_v3', gpu, count, list);
    const listed = Array.from({ length: count.readUInt32LE() }, (_, i) => list.subarray(i * 24, i * 24 + 24));
    t.same(
      inside(xml, 'pid'),
      listed.map((entry) => String(entry.readUInt32LE())),
    );
    t.same(
      inside(xml, 'used_memory'),
      listed.map((entry) => `${entry.readBigUInt64LE(8) / MIB} MiB`),
    );
  }
  const instance = nvml.handle('nvmlDeviceGetMigDeviceHandleByIndex', nvml.gpu(3), 2);
  const memory = Buffer.alloc(24);
  nvml.call('nvmlDeviceGetMemoryInfo', instance, memory);
  const [mig = ''] = /<mig_device>.*<\/mig_device>/s.exec(gpus[3] ?? '') ?? [];
  t.same(inside(mig, 'index'), ['2']);
  t.same(
    [...inside(mig, 'total'), ...inside(mig, 'used')],
    [0, 16].map((at) => `${memory.readBigUInt64LE(at) / MIB} MiB`),
  );
  const list = execFileSync(program, ['-L'], { encoding: 'utf8' });
  t.match(list, `  MIG 3g.40gb     Device  2: (UUID: ${nvml.text('nvmlDeviceGetUUID', instance)})\n`);
});
