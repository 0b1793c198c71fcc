import t from 'tap';
import { createXmlCollector } from '../../../src/collectors/gpu/xml.ts';
import { parseSmiLog } from '../../../src/collectors/gpu/xml-parser.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { createStage } from './stage.ts';

const SOURCES = { procfs: '/proc', passwd: '/etc/passwd' };

/** As xml2js gives it: texts with units, one element as an object, several as an array. */
const OLD_GPU = {
  product_name: 'Tesla P100-PCIE-16GB',
  uuid: 'GPU-old',
  fan_speed: 'N/A',
  clocks_throttle_reasons: {
    clocks_throttle_reason_gpu_idle: 'Active',
    clocks_throttle_reason_hw_slowdown: 'Not Active',
  },
  fb_memory_usage: { total: '16280 MiB', used: '0 MiB' },
  utilization: { gpu_util: '0 %', memory_util: 'N/A' },
  ecc_errors: { volatile: { double_bit: { device_memory: '0', total: '2' } } },
  temperature: { gpu_temp: '38 C' },
  power_readings: { power_draw: '25.41 W', enforced_power_limit: '250.00 W' },
  clocks: { sm_clock: '405 MHz', mem_clock: '715 MHz' },
  pci: { tx_util: '1000 KB/s', rx_util: 'N/A' },
  processes: '',
};

const NEW_GPU = {
  product_name: 'NVIDIA H100 80GB HBM3',
  uuid: 'GPU-new',
  clocks_event_reasons: { clocks_event_reason_gpu_idle: 'Not Active', clocks_event_reason_sw_power_cap: 'Active' },
  fb_memory_usage: { total: '81559 MiB', reserved: '479 MiB', used: '19818 MiB' },
  utilization: { gpu_util: 'Unknown Error', memory_util: '11 %' },
  ecc_errors: {
    volatile: { sram_uncorrectable_parity: '1', sram_uncorrectable_secded: '0', dram_uncorrectable: '2' },
  },
  gpu_power_readings: { average_power_draw: 'N/A', instant_power_draw: '631.95 W', current_power_limit: '700.00 W' },
  processes: {
    process_info: [
      { pid: '11', type: 'C', process_name: 'python', used_memory: '2566 MiB' },
      { pid: '12', type: 'G', process_name: 'Xorg', used_memory: '20 MiB' },
    ],
  },
};

t.test('an old and a new driver give the same metrics from different elements', async (t) => {
  const [old, young] = parseSmiLog({ nvidia_smi_log: { driver_version: '590.48.01', gpu: [OLD_GPU, NEW_GPU] } });
  t.match(old, {
    gpu: { uuid: 'GPU-old', index: 0, name: 'Tesla P100-PCIE-16GB', driver: '590.48.01', powerLimit: 250 },
    values: { utilization: 0, memoryUtilization: null, memoryUsed: 0, memoryReserved: null, power: 25.41, throttle: 1 },
    processes: [],
  });
  t.match(old?.values, { eccErrors: 2, fan: null, pcieTx: 1_000_000, pcieRx: null, clockSm: 405 });
  t.match(young, {
    gpu: { uuid: 'GPU-new', index: 1, memoryTotal: 81559 * 2 ** 20, powerLimit: 700 },
    values: { utilization: null, memoryUtilization: 11, power: 631.95, throttle: 4, eccErrors: 3, clockSm: null },
    processes: [{ pid: 11, memory: 2566 * 2 ** 20, name: 'python' }],
  });
});

t.test('one GPU alone is an object instead of a list, and is found all the same', async (t) => {
  const [only, ...others] = parseSmiLog({ nvidia_smi_log: { gpu: NEW_GPU } });
  t.equal(only?.gpu.uuid, 'GPU-new');
  t.same(others, []);
});

t.test('what is no nvidia-smi log is refused', async (t) => {
  for (const log of [undefined, null, '', {}, { nvidia_smi_log: '' }]) {
    t.throws(() => parseSmiLog(log), /no <nvidia_smi_log>/);
  }
  t.same(parseSmiLog({ nvidia_smi_log: { attached_gpus: '0' } }), []);
});

t.test('a look through the program on PATH gives samples and processes; two at once are never started', async (t) => {
  const stage = createStage(t);
  const before = process.env.PATH;
  process.env.PATH = `${stage.folder}:${before}`;
  t.teardown(() => {
    process.env.PATH = before;
  });
  const collector = createXmlCollector({ everyMs: 5000, clock: systemClock, sources: SOURCES });
  const first = collector.collect(AbortSignal.timeout(5000));
  await t.rejects(collector.collect(AbortSignal.timeout(5000)), /the look before this one has not ended yet/);
  const batch = await first;
  t.match(batch.gpus, [{ uuid: 'GPU-a' }, { uuid: 'GPU-b', name: 'NVIDIA T4, spare' }]);
  t.match(batch.samples, [
    { subject: 'gpu:GPU-a', values: { powerLimit: 250 } },
    { values: { utilization: 0, throttle: 1 } },
  ]);
  t.match(batch.processes, [{ gpuUuid: 'GPU-a', pid: process.pid }]);

  stage.change({ fault: { kind: 'error', code: 9 } });
  await t.rejects(collector.collect(AbortSignal.timeout(5000)), /driver is not loaded/);
});

t.test('a look that takes too long is given up', async (t) => {
  const stage = createStage(t, { fault: { kind: 'slow', wallMs: 1500 } });
  const before = process.env.PATH;
  process.env.PATH = `${stage.folder}:${before}`;
  t.teardown(() => {
    process.env.PATH = before;
  });
  const collector = createXmlCollector({ everyMs: 5000, clock: systemClock, sources: SOURCES });
  await t.rejects(collector.collect(AbortSignal.timeout(50)), /did not end in time/);
});
