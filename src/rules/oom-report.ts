import type { Cause, Evidence, Severity } from '../core/alert.ts';
import type { MemoryBlock, MemoryGrowth } from './memory-growth.ts';
import type { OomParameters } from './oom-parameters.ts';
import type { RunContext, Verdict } from './rule.ts';
import { duration, gib, significant } from './wording.ts';

/** Memory that grows from block to block. Bytes, seconds. */
export type GrowthFinding = {
  readonly gpu: string;
  readonly growth: MemoryGrowth;
  readonly blocks: readonly MemoryBlock[];
  readonly total: number;
  /** Until full. */
  readonly leftS: number;
  readonly severity: Severity;
  /** How many such findings in a row it takes. */
  readonly evaluations: number;
  readonly parameters: OomParameters;
  readonly run: RunContext;
};

/** Memory that is nearly full. Bytes. */
export type LevelFinding = {
  readonly gpu: string;
  readonly used: number;
  readonly total: number;
  /** Above the usual level; of it by other processes, null where unknown. */
  readonly rise: number;
  readonly othersRise: number | null;
  /** It rose to be nearly full; else it has always been. */
  readonly rose: boolean;
  readonly parameters: OomParameters;
  readonly run: RunContext;
};

/** A forecast in the words of an alert. */
export const describeGrowth = (finding: GrowthFinding): Verdict => {
  const { gpu, growth, blocks, total, leftS, parameters, run } = finding;
  const left = duration(leftS * 1000);
  const perHour = growth.slope * 3600;
  const others = growthOfOthers(blocks);
  const byOthers = others !== null && others >= parameters.othersShare * growth.bytes;
  const evidence: Evidence[] = [
    { name: 'memory peak', value: gib(growth.now), unit: 'GiB', expected: gib(growth.now - growth.bytes) },
    { name: 'memory', value: gib(total), unit: 'GiB' },
    { name: 'growth', value: gib(perHour), unit: 'GiB/h', expected: 0 },
    { name: "trend (Kendall's z)", value: significant(growth.z), unit: '', expected: `below ${parameters.trend}` },
    { name: 'observed for', value: Math.round(growth.overS), unit: 's' },
  ];
  return {
    kind: 'breach',
    severity: finding.severity,
    title: `${gpu} will run out of memory`,
    problem:
      `The memory peaks of ${gpu} grew by ${gib(growth.bytes)} GiB in ${duration(growth.overS * 1000)} to ${gib(growth.now)} ` +
      `of ${gib(total)} GiB; at ${gib(perHour)} GiB an hour it is full in ${left}.`,
    evidence,
    cause: byOthers ? neighborCause(others, growth.bytes) : growthCause(others),
    fix: byOthers ? neighborFix(gpu, run) : growthFix(left, run),
    forecastS: Math.round(leftS),
    gpu,
    hold: { evaluations: finding.evaluations },
  };
};

/** A level in the words of an alert. */
export const describeLevel = (finding: LevelFinding): Verdict => {
  const { gpu, used, total, rise, othersRise, rose, parameters, run } = finding;
  const share = Math.round((1000 * used) / total) / 10;
  const full = `${gpu} uses ${gib(used)} of ${gib(total)} GiB (${share} %)`;
  const evidence: Evidence[] = [
    { name: 'memory used', value: gib(used), unit: 'GiB', expected: gib(used - rise) },
    { name: 'memory', value: gib(total), unit: 'GiB' },
    { name: 'share used', value: share, unit: '%', expected: `below ${significant(100 * parameters.level)}` },
  ];
  if (!rose) {
    return {
      kind: 'breach',
      severity: 'info',
      title: `Little memory headroom on ${gpu}`,
      problem: `${full}, about as much as since the beginning.`,
      evidence,
      cause: null,
      fix: [`Nothing while it stays so; for more headroom ${smallerBatch(run)}.`],
      gpu,
    };
  }
  const byOthers = othersRise !== null && othersRise >= parameters.othersShare * rise;
  return {
    kind: 'breach',
    severity: 'critical',
    title: `${gpu} is nearly out of memory`,
    problem: `${full}, ${gib(rise)} GiB more than after the first epochs: the next larger batch may not fit.`,
    evidence,
    cause: byOthers ? neighborCause(othersRise, rise) : stepCause(othersRise),
    fix: byOthers ? neighborFix(gpu, run) : stepFix(run),
    forecastS: 0,
    gpu,
  };
};

const growthOfOthers = (blocks: readonly MemoryBlock[]): number | null => {
  const known = blocks.map((block) => block.others).filter((others) => others !== null);
  const [first] = known;
  const last = known.at(-1);
  return first === undefined || last === undefined ? null : last - first;
};

const FRAGMENTATION = 'allocated against reserved memory in PyTorch (would tell a leak from fragmentation)';
const OWN_MEMORY = "memory held by the run's own processes";

const changeOfOthers = (others: number): string =>
  others > 0 ? `other processes took ${gib(others)} GiB of it` : 'other processes took none of it';

const growthCause = (others: number | null): Cause => ({
  code: 'growth',
  text:
    others === null
      ? 'The memory in use grows with every epoch; whose it is, is not known.'
      : 'The memory of the training itself grows with every epoch: tensors are kept, or free blocks break up.',
  confidence: others === null ? 0.6 : 0.8,
  signals: others === null ? [] : [changeOfOthers(others)],
  missing: others === null ? [OWN_MEMORY, FRAGMENTATION] : [FRAGMENTATION],
});

const stepCause = (others: number | null): Cause => ({
  code: 'step',
  text: 'The memory rose in a step: a larger batch or image, the first validation, or something loaded beside it.',
  confidence: others === null ? 0.6 : 0.8,
  signals: others === null ? [] : [changeOfOthers(others)],
  missing: others === null ? [OWN_MEMORY, FRAGMENTATION] : [FRAGMENTATION],
});

const neighborCause = (others: number, growth: number): Cause => ({
  code: 'neighbor',
  text: 'Other processes on this GPU took the memory, not the training.',
  confidence: 0.9,
  signals: [`other processes took ${gib(others)} of ${gib(growth)} GiB`],
  missing: [],
});

const growthFix = (left: string, run: RunContext): readonly string[] => [
  `Restart from last.pt before it is full, in ${left}: a new process begins with the memory of the first epochs.`,
  `Before that, ${smallerBatch(run)}, or lower imgsz; set multi_scale=0.`,
  'Look for tensors that outlive a step: losses summed without .item(), lists of predictions or batches in a callback.',
  'Set PYTORCH_CUDA_ALLOC_CONF=expandable_segments:True, which helps against fragmentation.',
];

const stepFix = (run: RunContext): readonly string[] => [
  `Restart from last.pt and ${smallerBatch(run)}, or lower imgsz; set multi_scale=0.`,
  'If it rose with the validation: validate with smaller batches and free its cache (torch.cuda.empty_cache()).',
  'Set PYTORCH_CUDA_ALLOC_CONF=expandable_segments:True.',
];

const neighborFix = (gpu: string, run: RunContext): readonly string[] => [
  `Look with nvidia-smi who else uses ${gpu}, and end or move that process.`,
  'Or move the training: restart from last.pt with device= set to a free GPU.',
  `If they have to share, ${smallerBatch(run)}.`,
];

const smallerBatch = ({ args }: RunContext): string => {
  const batch = args?.batch;
  return typeof batch === 'number' && batch >= 2
    ? `lower batch by a fifth, from ${batch} to ${Math.floor(batch * 0.8)}`
    : 'lower batch by a fifth';
};
