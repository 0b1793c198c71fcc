import { type Check, check } from '../check.ts';
import type { NvmlAnswers, NvmlFacts } from '../facts/nvml.ts';
import type { GpuExtras } from '../facts/nvml-gpu.ts';
import { counted, listed, msInWords } from '../wording.ts';

/** Beyond this part of a period a slow driver makes us sample more seldom: see collectors/gpu/nvml/pace.ts. */
const TOO_MUCH_OF_A_PERIOD = 0.25;

const subjectOf = (id: string, title: string) => ({ id, title, group: 'gpu' as const });

/** `intervalMs`: how often the GPUs are to be sampled. */
export const judgeNvml = (facts: NvmlFacts, intervalMs: number): readonly Check[] => {
  switch (facts.kind) {
    case 'no-koffi':
      return [
        check(subjectOf('koffi', 'koffi'), {
          status: 'warning',
          says: `${facts.why}: NVML cannot be called, and the GPUs are read by nvidia-smi`,
          facts,
          fix: ['npm ci on this machine, without --omit=optional'],
        }),
      ];
    case 'no-library':
      return [
        judgeKoffi(facts.koffi),
        check(subjectOf('gpu-nvml', 'NVML'), {
          status: 'problem',
          says: facts.why,
          facts,
          fix: [
            "install the driver's libraries (libnvidia-compute, nvidia-driver-NVML); in a container start it with --gpus all",
            '--nvml PATH names the library where the loader does not find it',
          ],
        }),
      ];
    case 'failing':
      return [
        judgeKoffi(facts.koffi),
        check(subjectOf('gpu-nvml', 'NVML'), { status: 'problem', says: facts.why, facts }),
      ];
    case 'answers':
      return [judgeKoffi(facts.koffi), ...judgeAnswers(facts, intervalMs)];
  }
};

const judgeKoffi = (koffi: string | null): Check =>
  check(subjectOf('koffi', 'koffi'), {
    status: 'ok',
    says: `loads${koffi === null ? '' : ` (${packageOf(koffi)})`}`,
    facts: { koffi },
  });

/** `@koromix/koffi-linux-x64`, of a file somewhere in it. */
const packageOf = (path: string): string => /(?:@[^/]+\/)?koffi[^/]*(?=\/)/.exec(path)?.[0] ?? path;

const judgeAnswers = (facts: NvmlAnswers, intervalMs: number): readonly Check[] => [
  judgeLibrary(facts),
  ...(facts.gpus.length === 0
    ? []
    : [
        judgeHandles(facts),
        judgeSpeed(facts, intervalMs),
        judgeMetrics(facts),
        judgeRing(facts),
        judgeFields(facts),
        judgePersistence(facts),
        judgeMig(facts),
        judgeProcessList(facts),
      ]),
];

const judgeLibrary = ({ library, version, driver, cuda, missing }: NvmlAnswers): Check => {
  const versions = version === null ? '' : `, version ${version}`;
  const without = missing.length === 0 ? '' : `; not in this driver: ${listed(missing)}`;
  return check(subjectOf('gpu-nvml', 'NVML'), {
    status: 'ok',
    says: `${library ?? 'loaded'}${versions}${without}`,
    facts: { library, version, driver, cuda, missing },
  });
};

const judgeHandles = ({ gpus, notes, remarks }: NvmlAnswers): Check => {
  const subject = subjectOf('gpu-handles', 'GPUs that answer');
  const ailing = notes.flatMap(({ uuid, trouble }) => {
    const index = gpus.find((gpu) => gpu.uuid === uuid)?.index;
    return trouble === null ? [] : [`GPU ${index ?? uuid}: ${trouble}`];
  });
  const wholes = gpus.filter(({ mig }) => !mig).length;
  const details = [...ailing, ...remarks];
  const facts = { gpus: wholes, ailing, remarks };
  if (details.length === 0) return check(subject, { status: 'ok', says: `all ${wholes}`, facts });
  return check(subject, {
    status: 'problem',
    says: `${wholes - ailing.length} of ${wholes + remarks.length}; the others are watched for their return`,
    details,
    facts,
    fix: ['sudo dmesg | grep -i xid tells why; a lost GPU needs a reset (nvidia-smi -r -i N) or a reboot'],
  });
};

const SLOWEST = 5;

const judgeSpeed = ({ calls, tick, extras }: NvmlAnswers, intervalMs: number): Check => {
  const slowest = calls.toSorted((a, b) => b.medianUs - a.medianUs).slice(0, SLOWEST);
  const windows = Object.values(extras).flatMap(({ pcieWindowMs }) =>
    typeof pcieWindowMs === 'number' ? pcieWindowMs : [],
  );
  const details = [
    `slowest calls: ${slowest.map(({ name, count, medianUs }) => `${name} ${usInWords(medianUs)} (n = ${count})`).join(', ')}`,
    ...(windows.length === 0
      ? []
      : [`nvmlDeviceGetPcieThroughput blocks for ${msInWords(Math.max(...windows))}; the service never calls it`]),
  ];
  const slow = (tick.p95Us ?? tick.maxUs) / 1000;
  const subject = subjectOf('gpu-speed', 'Speed of the driver');
  const says = `all GPUs are read in ${usInWords(tick.medianUs)} (median of ${tick.count}; 95 %: ${msInWords(slow)})`;
  const facts = { tick, calls, intervalMs, pcieWindowsMs: windows };
  if (slow <= intervalMs * TOO_MUCH_OF_A_PERIOD) return check(subject, { status: 'ok', says, details, facts });
  return check(subject, {
    status: 'warning',
    says: `${says}: much for every ${msInWords(intervalMs)}, so the service will sample more seldom`,
    details,
    facts,
    fix: [`--gpu-interval ${Math.ceil(slow / TOO_MUCH_OF_A_PERIOD / 100) * 100}ms or more`],
  });
};

const usInWords = (us: number): string => (us < 995 ? `${Number(us.toPrecision(2))} µs` : msInWords(us / 1000));

const judgeMetrics = ({ gpus, notes }: NvmlAnswers): Check => {
  const byReason = notes.flatMap(({ uuid, absent }) => {
    const gpu = gpus.find((known) => known.uuid === uuid);
    // Of an instance nearly all metrics are those of its GPU: that is said once, by the check of MIG.
    if (gpu === undefined || gpu.mig) return [];
    const reasons = Map.groupBy(Object.entries(absent), ([, reason]) => reason);
    return [...reasons].map(
      ([reason, metrics]) => `GPU ${gpu.index}: ${metrics.map(([metric]) => metric).join(', ')}: ${reason}`,
    );
  });
  const subject = subjectOf('gpu-metrics', 'Metrics that are null');
  const facts = { absent: Object.fromEntries(notes.map(({ uuid, absent }) => [uuid, absent])) };
  return check(subject, {
    status: 'ok',
    says: byReason.length === 0 ? 'none: these GPUs give all of them' : 'these GPUs or this driver do not give:',
    details: byReason,
    facts,
  });
};

/** One line for each GPU. */
const linesOf = (facts: NvmlAnswers, line: (extras: GpuExtras) => string): readonly string[] =>
  Object.entries(facts.extras).map(([index, extras]) => `GPU ${index}: ${line(extras)}`);

const judgeRing = (facts: NvmlAnswers): Check => {
  const rings = Object.values(facts.extras).map(({ ring }) => ring);
  const isKnown = rings.some((ring) => typeof ring !== 'string' && ring.entries > 1);
  return check(subjectOf('gpu-ring', 'Ring of samples'), {
    status: isKnown ? 'ok' : 'unknown',
    says: isKnown
      ? 'dips of utilization that are shorter than a tick are seen'
      : 'empty, as on an idle GPU: run this again while a training is at work to see its period',
    details: linesOf(facts, ({ ring }) => ringInWords(ring)),
    facts: { rings: Object.fromEntries(Object.entries(facts.extras).map(([index, { ring }]) => [index, ring])) },
  });
};

const ringInWords = (ring: GpuExtras['ring']): string => {
  if (typeof ring === 'string') return `nothing in it (${ring}), as on an idle GPU`;
  if (ring.periodMs === null) return counted(ring.entries, 'entry', 'entries');
  return `${counted(ring.entries, 'entry', 'entries')}, one each ${msInWords(ring.periodMs)}, ${msInWords(ring.spanMs)} in all`;
};

const judgeFields = (facts: NvmlAnswers): Check =>
  check(subjectOf('gpu-fields', 'Field values'), {
    status: 'ok',
    says: "what the driver answers in one batch; NVML's own time for it",
    details: linesOf(facts, ({ fields }) => fieldsInWords(fields)),
    facts: { fields: Object.fromEntries(Object.entries(facts.extras).map(([index, { fields }]) => [index, fields])) },
  });

const fieldsInWords = (fields: GpuExtras['fields']): string => {
  const known = fields.filter(({ reason }) => reason === null);
  const without = fields.filter(({ reason }) => reason !== null).map(({ name, reason }) => `${name} (${reason})`);
  const slowest = Math.max(0, ...known.map(({ latencyUs }) => latencyUs));
  const most = known.length === 0 ? '' : `, at most ${slowest} µs each`;
  return `${known.length} of ${fields.length}${most}${without.length === 0 ? '' : `; without ${listed(without, 10)}`}`;
};

const judgePersistence = (facts: NvmlAnswers): Check => {
  const subject = subjectOf('gpu-persistence', 'Persistence mode');
  const modes = Object.entries(facts.extras).map(([index, { persistence }]) => ({ index, persistence }));
  const off = modes.filter(({ persistence }) => persistence === false);
  const unknown = modes.filter(({ persistence }) => typeof persistence === 'string');
  if (off.length === 0 && unknown.length === 0) return check(subject, { status: 'ok', says: 'on', facts: { modes } });
  if (off.length === 0) {
    const says = unknown.map(({ index, persistence }) => `GPU ${index}: ${persistence}`).join(', ');
    return check(subject, { status: 'unknown', says, facts: { modes } });
  }
  const which = off.map(({ index }) => index).join(', ');
  return check(subject, {
    status: 'warning',
    says:
      `off (GPU ${which}): while nothing uses a GPU, each first call takes seconds. A running service is such a use, ` +
      'so with it the GPU also idles at a higher power',
    facts: { modes },
    fix: ['sudo nvidia-smi -pm 1, or enable the service nvidia-persistenced'],
  });
};

const judgeMig = ({ gpus }: NvmlAnswers): Check => {
  const instances = gpus.filter(({ mig }) => mig);
  const says =
    instances.length === 0
      ? 'off'
      : `${counted(instances.length, 'instance')}: their memory and processes are known, their activity is not (NVML does not measure it)`;
  return check(subjectOf('gpu-mig', 'MIG'), {
    status: 'ok',
    says,
    details: instances.map(({ name, index }) => `GPU ${index}: ${name ?? 'an instance without a name'}`),
    facts: { instances: instances.map(({ index, mig }) => ({ index, profile: mig?.profile ?? null })) },
  });
};

const judgeProcessList = ({ processesUnknown }: NvmlAnswers): Check =>
  check(
    subjectOf('gpu-processes', 'Processes on the GPUs'),
    processesUnknown === null
      ? { status: 'ok', says: 'can be listed' }
      : { status: 'warning', says: `cannot be listed: ${processesUnknown}`, facts: { processesUnknown } },
  );
