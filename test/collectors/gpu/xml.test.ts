import { chmodSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { parseMigList } from '../../../src/collectors/gpu/mig-list.ts';
import { createXmlCollector } from '../../../src/collectors/gpu/xml.ts';
import { parseSmiLog, type XmlGpu } from '../../../src/collectors/gpu/xml-parser.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { GPU_METRICS } from '../../../src/core/metrics.ts';
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
  ecc_errors: { volatile: { single_bit: { total: '7' }, double_bit: { device_memory: '0', total: '2' } } },
  temperature: { gpu_temp: '38 C' },
  power_readings: { power_draw: '25.41 W', enforced_power_limit: '250.00 W' },
  clocks: { sm_clock: '405 MHz', mem_clock: '715 MHz' },
  pci: { pci_bus_id: '00000000:0A:00.0', tx_util: '1000 KB/s', rx_util: 'N/A', replay_counter: '3' },
  processes: '',
};

const NEW_GPU = {
  $: { id: '00000008:01:00.0' },
  product_name: 'NVIDIA H100 80GB HBM3',
  uuid: 'GPU-new',
  clocks_event_reasons: { clocks_event_reason_gpu_idle: 'Not Active', clocks_event_reason_sw_power_cap: 'Active' },
  fb_memory_usage: { total: '81559 MiB', reserved: '479 MiB', used: '19818 MiB' },
  utilization: { gpu_util: 'Unknown Error', memory_util: '11 %' },
  ecc_errors: {
    volatile: {
      sram_correctable: 'N/A',
      sram_uncorrectable_parity: '1',
      sram_uncorrectable_secded: '0',
      dram_correctable: '40',
      dram_uncorrectable: '2',
    },
  },
  remapped_rows: { remapped_row_pending: 'Yes', remapped_row_failure: 'No' },
  temperature: { memory_temp: '48 C' },
  gpu_power_readings: { average_power_draw: 'N/A', instant_power_draw: '631.95 W', current_power_limit: '700.00 W' },
  processes: {
    process_info: [
      { pid: '11', type: 'C', process_name: 'python', used_memory: '2566 MiB' },
      { pid: '12', type: 'G', process_name: 'Xorg', used_memory: '20 MiB' },
    ],
  },
};

t.test('an old and a new driver give the same metrics from different elements', async (t) => {
  const [old, young] = parseSmiLog({ nvidia_smi_log: { driver_version: '590.48.01', gpu: [OLD_GPU, NEW_GPU] } }, []);
  t.match(old, {
    gpu: { uuid: 'GPU-old', index: 0, name: 'Tesla P100-PCIE-16GB', driver: '590.48.01', powerLimit: 250 },
    values: { utilization: 0, memoryUtilization: null, memoryUsed: 0, memoryReserved: null, power: 25.41, throttle: 1 },
    processes: [],
  });
  t.match(old?.values, { eccErrors: 2, fan: null, pcieTx: 1_000_000, pcieRx: null, clockSm: 405 });
  t.match(old?.values, { eccCorrected: 7, pcieReplays: 3, rowRemapPending: null, memoryTemperature: null });
  t.match(young?.values, { eccCorrected: 40, rowRemapPending: 1, rowRemapFailed: 0, memoryTemperature: 48 });
  t.match([old?.gpu.pciBusId, young?.gpu.pciBusId], ['0000:0a:00', '0008:01:00']);
  t.match(young, {
    gpu: { uuid: 'GPU-new', index: 1, memoryTotal: 81559 * 2 ** 20, powerLimit: 700 },
    values: { utilization: null, memoryUtilization: 11, power: 631.95, throttle: 4, eccErrors: 3, clockSm: null },
    processes: [{ pid: 11, memory: 2566 * 2 ** 20, name: 'python' }],
  });
});

t.test('one GPU alone is an object instead of a list, and is found all the same', async (t) => {
  const [only, ...others] = parseSmiLog({ nvidia_smi_log: { gpu: NEW_GPU } }, []);
  t.equal(only?.gpu.uuid, 'GPU-new');
  t.same(others, []);
});

t.test('every metric is a number, or null with the word that stands in its place', async (t) => {
  const [old, young] = parseSmiLog({ nvidia_smi_log: { gpu: [OLD_GPU, NEW_GPU] } }, []);
  t.match(old?.reasons, { memoryUtilization: 'N/A', fan: 'N/A', pcieRx: 'N/A', energy: /only NVML/ });
  t.match(old?.reasons, { memoryTemperature: "not in this driver's XML", utilizationMin: /only NVML/ });
  t.match(young?.reasons, { utilization: 'Unknown Error' });
  const [broken] = parseSmiLog(
    { nvidia_smi_log: { gpu: { uuid: 'GPU-x', fb_memory_usage: { used: 'GPU is lost' }, remapped_rows: 'N/A' } } },
    [],
  );
  t.match(broken?.reasons, { memoryUsed: 'GPU is lost', rowRemapPending: 'N/A', throttle: /not in this/ });
  for (const gpu of [old, young, broken]) {
    t.same(
      measured(gpu),
      Object.keys(GPU_METRICS)
        .filter((metric) => metric !== 'xid' && metric !== 'runMemory')
        .sort(),
    );
  }
});

/** The metrics that are told, each as a number or with a reason and never as both. */
const measured = (gpu: XmlGpu | undefined): readonly string[] => {
  const known = Object.entries(gpu?.values ?? {}).flatMap(([metric, value]) => (value === null ? [] : [metric]));
  return [...known, ...Object.keys(gpu?.reasons ?? {})].sort();
};

t.test('errors that one kind of memory does not count leave those of the other; unknown ones leave none', async (t) => {
  const corrected = (sram: string, dram: string) => {
    const gpu = { uuid: 'GPU-x', ecc_errors: { volatile: { sram_correctable: sram, dram_correctable: dram } } };
    return parseSmiLog({ nvidia_smi_log: { gpu } }, [])[0]?.values.eccCorrected;
  };
  t.equal(corrected('2', '3'), 5);
  t.equal(corrected('N/A', '3'), 3);
  t.equal(corrected('N/A', 'N/A'), null);
  t.equal(corrected('Unknown Error', '3'), null);
});

const SLICED = {
  ...NEW_GPU,
  utilization: { gpu_util: 'N/A', memory_util: 'N/A' },
  mig_devices: {
    mig_device: [
      {
        index: '0',
        gpu_instance_id: '2',
        compute_instance_id: '0',
        fb_memory_usage: { total: '40448 MiB', reserved: '0 MiB', used: '26 MiB' },
      },
      { index: '1', gpu_instance_id: '9', compute_instance_id: '1', fb_memory_usage: { used: 'N/A' } },
    ],
  },
  processes: {
    process_info: [
      { gpu_instance_id: '2', compute_instance_id: '0', pid: '11', type: 'C', used_memory: '20 MiB' },
      { gpu_instance_id: 'N/A', compute_instance_id: 'N/A', pid: '12', type: 'C', used_memory: '1 MiB' },
    ],
  },
};

t.test('a MIG instance is a GPU of its own, with its memory and processes and no invented utilization', async (t) => {
  const listed = [{ parent: 'GPU-new', index: 0, uuid: 'MIG-a', profile: '3g.40gb' }];
  const [whole, first, second] = parseSmiLog({ nvidia_smi_log: { gpu: SLICED } }, listed);
  t.match(whole, { gpu: { uuid: 'GPU-new' }, values: { utilization: null, power: 631.95 }, processes: [{ pid: 12 }] });
  t.match(first, {
    gpu: {
      uuid: 'MIG-a',
      index: 0,
      name: 'NVIDIA H100 80GB HBM3 MIG 3g.40gb',
      memoryTotal: 40448 * 2 ** 20,
      mig: { parent: 'GPU-new', index: 0, gpuInstance: 2, computeInstance: 0, profile: '3g.40gb' },
    },
    values: { memoryUsed: 26 * 2 ** 20, memoryReserved: 0 },
    reasons: { utilization: /whole GPU/, power: /whole GPU/ },
    processes: [{ pid: 11 }],
  });
  t.match(second, { gpu: { uuid: 'MIG-GPU-new/9/1', mig: { profile: null } }, values: { memoryUsed: null } });
  t.equal(second?.processes.length, 0);
  t.same(measured(second), measured(whole));
});

t.test('nvidia-smi -L names the MIG instances of every GPU', async (t) => {
  const list = [
    'GPU 0: NVIDIA A100-SXM4-40GB (UUID: GPU-one)',
    'GPU 1: NVIDIA H100 80GB HBM3 (UUID: GPU-two)',
    '  MIG 1c.3g.40gb  Device  0: (UUID: MIG-11)',
    '  MIG 1g.10gb+me  Device 12: (UUID: MIG-12)\r',
    '  MIG 1g.10gb     Device  ',
  ].join('\n');
  t.same(parseMigList(list), [
    { parent: 'GPU-two', index: 0, uuid: 'MIG-11', profile: '1c.3g.40gb' },
    { parent: 'GPU-two', index: 12, uuid: 'MIG-12', profile: '1g.10gb+me' },
  ]);
  t.same(parseMigList('No devices found.\n'), []);
});

t.test('what is no nvidia-smi log is refused', async (t) => {
  for (const log of [undefined, null, '', {}, { nvidia_smi_log: '' }]) {
    t.throws(() => parseSmiLog(log, []), /no <nvidia_smi_log>/);
  }
  t.same(parseSmiLog({ nvidia_smi_log: { attached_gpus: '0' } }, []), []);
});

t.test('a look through the program on PATH gives samples and processes; two at once are never started', async (t) => {
  const stage = createStage(t);
  const before = process.env.PATH;
  process.env.PATH = `${stage.folder}:${before}`;
  t.teardown(() => {
    process.env.PATH = before;
  });
  const collector = createXmlCollector({ everyMs: 5000, clock: systemClock, sources: SOURCES, pidsAreForeign: null });
  const first = collector.collect(AbortSignal.timeout(5000));
  await t.rejects(collector.collect(AbortSignal.timeout(5000)), /the look before this one has not ended yet/);
  const batch = await first;
  t.match(batch.gpus, [{ uuid: 'GPU-a' }, { uuid: 'GPU-b', name: 'NVIDIA T4, spare' }]);
  t.match(batch.samples, [
    { subject: 'gpu:GPU-a', values: { powerLimit: 250 } },
    { values: { utilization: 0, throttle: 1 } },
  ]);
  t.match(batch.processes, [{ gpuUuid: 'GPU-a', pid: process.pid }]);
  t.match(batch.gpuNotes, [{ uuid: 'GPU-a', trouble: null, absent: { energy: /only NVML/ } }, { uuid: 'GPU-b' }]);

  const why = 'the pids here are not those of the host';
  const foreign = createXmlCollector({ everyMs: 5000, clock: systemClock, sources: SOURCES, pidsAreForeign: why });
  t.match(await foreign.collect(AbortSignal.timeout(5000)), { processes: null, processesUnknown: why });

  stage.change({ fault: { kind: 'error', code: 9 } });
  const gap = await collector.collect(AbortSignal.timeout(5000));
  const unknown = { utilization: null, power: null, memoryUsed: null };
  t.match(gap.samples, [
    { subject: 'gpu:GPU-a', values: unknown },
    { subject: 'gpu:GPU-b', values: unknown },
  ]);
  t.match(gap.gpuNotes, [
    { uuid: 'GPU-a', trouble: /driver is not loaded/, absent: { power: /driver is not loaded/ } },
    {},
  ]);
  t.match(gap, { processes: null, processesUnknown: /driver is not loaded/, hasMore: true });
  await t.rejects(collector.collect(AbortSignal.timeout(5000)), /driver is not loaded/, 'the gap is told once');
  await t.rejects(collector.collect(AbortSignal.timeout(5000)), /driver is not loaded/);
  stage.change({});
  t.match(await collector.collect(AbortSignal.timeout(5000)), { samples: [{ values: { powerLimit: 250 } }, {}] });
});

/** Puts a program of this text on PATH as nvidia-smi. */
const putOnPath = (t: Test, script: string) => {
  const folder = t.testdir({ 'nvidia-smi': `#!/bin/sh\n${script}\n` });
  chmodSync(join(folder, 'nvidia-smi'), 0o755);
  const before = process.env.PATH;
  process.env.PATH = `${folder}:${before}`;
  t.teardown(() => {
    process.env.PATH = before;
  });
  return createXmlCollector({ everyMs: 5000, clock: systemClock, sources: SOURCES, pidsAreForeign: null });
};

const MIG_XML =
  '<nvidia_smi_log><gpu id="00000000:61:00.0"><uuid>GPU-m</uuid><mig_devices><mig_device><index>0</index>' +
  '<gpu_instance_id>2</gpu_instance_id><compute_instance_id>0</compute_instance_id><fb_memory_usage>' +
  '<used>19 MiB</used></fb_memory_usage></mig_device></mig_devices></gpu></nvidia_smi_log>';

t.test('the names of MIG instances are asked once, and again only while there is no answer', async (t) => {
  const asked = join(t.testdir({}), 'asked');
  const collector = putOnPath(
    t,
    `if [ "$1" = -q ]; then echo '${MIG_XML}'; exit; fi
     echo >> '${asked}'
     [ "$(wc -l < '${asked}')" = 1 ] && exit 9
     echo 'GPU 0: A30 (UUID: GPU-m)'; echo '  MIG 1g.6gb  Device  0: (UUID: MIG-m)'`,
  );
  const uuids = async () => (await collector.collect(AbortSignal.timeout(5000))).gpus?.map(({ uuid }) => uuid);
  t.same(await uuids(), ['GPU-m', 'MIG-GPU-m/2/0']);
  t.same(await uuids(), ['GPU-m', 'MIG-m']);
  t.same(await uuids(), ['GPU-m', 'MIG-m']);
  t.equal(readFileSync(asked, 'utf8').length, 2);
});

t.test('one lost GPU beside good XML is told, with why the others are missing too', async (t) => {
  const collector = putOnPath(
    t,
    `echo 'Unable to determine the device handle for GPU1: 1: GPU is lost.  Reboot the system' >&2; echo '${MIG_XML}'`,
  );
  await t.rejects(
    collector.collect(AbortSignal.timeout(5000)),
    /^GPU 1 cannot be reached \(GPU is lost\), and node-nvidia-smi then gives no other either: /,
  );
});

t.test('XML that was cut off is an error, not fewer GPUs', async (t) => {
  const collector = putOnPath(t, `echo '${MIG_XML.slice(0, 150)}'`);
  await t.rejects(collector.collect(AbortSignal.timeout(5000)), /Unclosed|Unexpected end/);
});

t.test('the XML is read by a version of xml2js without the flaw of those before 0.5', async (t) => {
  const require = createRequire(createRequire(import.meta.url).resolve('node-nvidia-smi'));
  const found: unknown = JSON.parse(readFileSync(require.resolve('xml2js/package.json'), 'utf8'));
  t.match(found, { version: /^(0\.([5-9]|\d\d)|[1-9]\d*)\./ });
});

t.test('a look that takes too long is given up', async (t) => {
  const stage = createStage(t, { fault: { kind: 'slow', wallMs: 1500 } });
  const before = process.env.PATH;
  process.env.PATH = `${stage.folder}:${before}`;
  t.teardown(() => {
    process.env.PATH = before;
  });
  const collector = createXmlCollector({ everyMs: 5000, clock: systemClock, sources: SOURCES, pidsAreForeign: null });
  await t.rejects(collector.collect(AbortSignal.timeout(50)), /did not end in time/);
});
