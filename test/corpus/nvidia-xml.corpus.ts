// Every `nvidia-smi -q -x` of other people's machines, drivers 352 to 595, read by the product and, independently of it,
// by plain searches in its text.
import { createRequire } from 'node:module';
import t from 'tap';
import { explainSmiFailure } from '../../src/collectors/gpu/smi-errors.ts';
import { parseSmiLog, type XmlGpu } from '../../src/collectors/gpu/xml-parser.ts';
import { GPU_METRICS, THROTTLE_BITS } from '../../src/core/metrics.ts';
import { recorded } from './nvidia-files.ts';

// Thousands of outputs are parsed: 20 s, and more where others use the machine too.
t.setTimeout(300_000);

/** The one that node-nvidia-smi gets, with its options. */
const {
  parseString,
}: { parseString: (xml: string, options: object, done: (error: unknown, log: unknown) => void) => void } =
  createRequire(createRequire(import.meta.url).resolve('node-nvidia-smi'))('xml2js');

/** What the product makes of an output; null where it refuses it. */
const read = (xml: string): readonly XmlGpu[] | null => {
  let found: readonly XmlGpu[] | null = null;
  parseString(xml, { explicitArray: false, trim: true }, (error, log) => {
    if (!error && log !== null) found = parseSmiLog(log, []);
  });
  return found;
};

const ALL = [...recorded('xml', /\.xml$/), ...recorded('synth', /\.xml$/)];
const LOGS = ALL.filter(({ text }) => text.includes('<nvidia_smi_log>')).map(({ file, text }) => ({
  file,
  xml: text.slice(Math.max(0, text.search(/<\?xml|<nvidia_smi_log>/))),
}));

/** The inner text of the first such element. */
const inside = (text: string, element: string): string =>
  new RegExp(`<${element}>(.*?)</${element}>`, 's').exec(text)?.[1]?.trim() ?? '';

const number = (text: string, block: string, element: string): number | null => {
  const said = inside(block === '' ? text : inside(text, block), element);
  const [, digits, unit = ''] = /^(-?[\d.]+) ?(%|C|W|MHz|MiB|KB\/s)?$/.exec(said) ?? [];
  return digits === undefined ? null : Number(digits) * (unit === 'MiB' ? 2 ** 20 : unit === 'KB/s' ? 1000 : 1);
};

const flag = (text: string, element: string): number | null => ({ Yes: 1, No: 0 })[inside(text, element)] ?? null;

/** The sum of what is counted, where nothing is in doubt. */
const counted = (volatile: string, elements: readonly string[]): number | null => {
  const said = elements.map((element) => inside(volatile, element)).filter((words) => words !== 'N/A' && words !== '');
  return said.length > 0 && said.every((words) => /^\d+$/.test(words))
    ? said.reduce((sum, n) => sum + Number(n), 0)
    : null;
};

const UNCORRECTED = [
  'sram_uncorrectable',
  'sram_uncorrectable_parity',
  'sram_uncorrectable_secded',
  'dram_uncorrectable',
];

/** Every metric of one `<gpu>`, by searches in its text. */
const metricsOf = (gpu: string): Readonly<Record<string, number | null>> => {
  const volatile = inside(inside(gpu, 'ecc_errors'), 'volatile');
  const reasons = inside(gpu, 'clocks_event_reasons') || inside(gpu, 'clocks_throttle_reasons');
  const bits: Readonly<Record<string, number>> = { ...THROTTLE_BITS, display_clocks_setting: 0x100 };
  const active = [...reasons.matchAll(/reason_(\w+)>Active</g)].map(([, name = '']) => bits[name] ?? 0);
  return {
    utilization: number(gpu, 'utilization', 'gpu_util'),
    memoryUtilization: number(gpu, 'utilization', 'memory_util'),
    memoryUsed: number(gpu, 'fb_memory_usage', 'used'),
    memoryTotal: number(gpu, 'fb_memory_usage', 'total'),
    memoryReserved: number(gpu, 'fb_memory_usage', 'reserved'),
    power:
      number(gpu, 'gpu_power_readings', 'power_draw') ??
      number(gpu, 'gpu_power_readings', 'average_power_draw') ??
      number(gpu, 'gpu_power_readings', 'instant_power_draw') ??
      number(gpu, 'power_readings', 'power_draw'),
    powerLimit:
      number(gpu, 'gpu_power_readings', 'current_power_limit') ?? number(gpu, 'power_readings', 'enforced_power_limit'),
    temperature: number(gpu, 'temperature', 'gpu_temp'),
    memoryTemperature: number(gpu, 'temperature', 'memory_temp'),
    clockSm: number(gpu, 'clocks', 'sm_clock'),
    clockMem: number(gpu, 'clocks', 'mem_clock'),
    pcieRx: number(gpu, '', 'rx_util'),
    pcieTx: number(gpu, '', 'tx_util'),
    pcieReplays: number(gpu, '', 'replay_counter'),
    fan: number(gpu, '', 'fan_speed'),
    throttle: /Active</.test(reasons) ? active.reduce((mask, bit) => mask | bit, 0) : null,
    eccErrors: number(inside(volatile, 'double_bit'), '', 'total') ?? counted(volatile, UNCORRECTED),
    eccCorrected:
      number(inside(volatile, 'single_bit'), '', 'total') ??
      counted(volatile, ['sram_correctable', 'dram_correctable']),
    rowRemapPending: flag(gpu, 'remapped_row_pending'),
    rowRemapFailed: flag(gpu, 'remapped_row_failure'),
  };
};

t.test('every output is read, or is a message that is explained', async (t) => {
  t.equal(recorded('xml', /\.xml$/).length, 49);
  t.equal(LOGS.length, ALL.length - 6);
  for (const { file, text } of ALL) {
    if (text.includes('<nvidia_smi_log>')) continue;
    t.match(explainSmiFailure(15, text), /^a GPU (has fallen off the bus|does not answer)/, file);
    t.equal(read(text), null, file);
  }
});

t.test('each GPU of each output is there with every metric that the text has, and no other', async (t) => {
  for (const { file, xml } of LOGS) {
    const found = read(xml) ?? [];
    const texts = [...xml.matchAll(/<gpu id=.*?<\/gpu>/gs)].map(([text]) => text);
    const whole = found.filter(({ gpu }) => !gpu.mig);
    t.equal(whole.length, texts.length, `${file}: GPUs`);
    for (const [i, { gpu, values, reasons }] of whole.entries()) {
      const text = (texts[i] ?? '').replace(/<mig_devices>.*?<\/mig_devices>/s, '');
      const wanted = metricsOf(text);
      t.same(values, wanted, `${file}: ${gpu.uuid}`);
      const none = Object.keys(wanted).filter((metric) => wanted[metric] === null);
      t.same(Object.keys(reasons).sort(), [...none, 'energy', 'utilizationMean', 'utilizationMin'].sort(), file);
      t.match(text, new RegExp(`<gpu id="(0000)?${gpu.pciBusId}[.]0"`, 'i'), `${file}: its place`);
      t.equal(gpu.uuid, inside(text, 'uuid'), file);
    }
  }
});

t.test('every MIG instance is there, with its own memory and nothing else', async (t) => {
  const sliced = LOGS.filter(({ xml }) => xml.includes('<mig_device>'));
  t.equal(sliced.length, 2);
  for (const { file, xml } of sliced) {
    const found = (read(xml) ?? []).filter(({ gpu }) => gpu.mig);
    const texts = [...xml.matchAll(/<mig_device>.*?<\/mig_device>/gs)].map(([text]) => text);
    t.same(
      found.map(({ gpu, values }) => ({ index: gpu.mig?.index, gi: gpu.mig?.gpuInstance, ...values })),
      texts.map((text) => ({
        index: number(text, '', 'index'),
        gi: number(text, '', 'gpu_instance_id'),
        memoryUsed: number(text, 'fb_memory_usage', 'used'),
        memoryTotal: number(text, 'fb_memory_usage', 'total'),
        memoryReserved: number(text, 'fb_memory_usage', 'reserved'),
      })),
      file,
    );
    t.equal(new Set(found.map(({ gpu }) => gpu.uuid)).size, texts.length, `${file}: names`);
    for (const { values, reasons } of found) {
      t.equal(Object.keys(values).length + Object.keys(reasons).length, Object.keys(GPU_METRICS).length - 2, file);
    }
  }
});

t.test('an output that was cut off, at every 512th byte, is refused or read as the whole one', async (t) => {
  let cuts = 0;
  for (const { file, xml } of LOGS) {
    const bytes = Buffer.from(xml);
    const whole = JSON.stringify(read(xml));
    // The time grows with the square of the length: the four longest are cut less often.
    const step = bytes.length < 100_000 ? 512 : 4096;
    for (let length = 0; length < bytes.length; length += step) {
      const found = read(bytes.toString('utf8', 0, length));
      cuts += 1;
      if (found !== null && JSON.stringify(found) !== whole) t.fail(`${file}: cut at ${length}`);
    }
  }
  t.ok(cuts > 2500, `${cuts} cuts`);
});

const WORDS = ['N/A', 'Unknown Error', 'GPU is lost', 'Requested functionality has been deprecated', ''];

t.test('a word in place of any one number makes no number that the text does not have', async (t) => {
  for (const { file, xml } of LOGS.filter(({ xml }, i) => i % 4 === 0 && xml.length < 40_000)) {
    const [text = ''] = /<gpu id=.*?<\/gpu>/s.exec(xml) ?? [];
    const before = metricsOf(text.replace(/<mig_devices>.*?<\/mig_devices>/s, ''));
    const log = (gpu: string) => read(`<nvidia_smi_log>${gpu}</nvidia_smi_log>`)?.[0]?.values ?? {};
    for (const [i, leaf] of [...text.matchAll(/>[^<>]*\d[^<>]*</g)].entries()) {
      if (
        /GPU-/.test(leaf[0]) ||
        /supported|max_clock|process/.test(text.slice(Math.max(0, leaf.index - 30), leaf.index))
      )
        continue;
      const word = WORDS[i % WORDS.length] ?? '';
      const gpu = `${text.slice(0, leaf.index)}>${word}<${text.slice(leaf.index + leaf[0].length)}`;
      for (const [metric, value] of Object.entries(log(gpu))) {
        if (value === null || value === before[metric]) continue;
        if (!hasNumber(text, value)) t.fail(`${file}: ${leaf[0]} became ${word}, ${metric} became ${value}`);
      }
    }
    t.ok(Object.keys(before).length > 10, file);
  }
});

const hasNumber = (text: string, value: number): boolean =>
  [...text.matchAll(/-?\d+(\.\d+)?/g)].some(([digits]) =>
    [1, 1000, 2 ** 20].some((unit) => Number(digits) * unit === value),
  );
