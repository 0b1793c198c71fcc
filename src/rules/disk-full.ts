import type { Cause } from '../core/alert.ts';
import { EXHAUSTION_PARAMETERS, type Filling, fill, forecast, newFilling } from './exhaustion.ts';
import { defineRule, type HostTickInput, type Parameters, type ParameterValues, type Verdict } from './rule.ts';
import { duration, gib, significant } from './wording.ts';

const { growthShare: _, ...growth } = EXHAUSTION_PARAMETERS;
const parameters = {
  ...growth,
  growthShare: {
    default: 0.01,
    minimum: 0,
    maximum: 0.5,
    unit: '',
    description: 'least growth, as a share of what was free when the forecast began',
  },
  least: {
    default: 2,
    minimum: 0.1,
    maximum: 1000,
    unit: 'GiB',
    description: 'free room below which the disk is nearly full',
  },
  leastClear: { default: 4, minimum: 0.1, maximum: 2000, unit: 'GiB', description: 'free room above which it is not' },
} as const satisfies Parameters;

type Limits = ParameterValues<typeof parameters>;
/** `free`: what there was when the course began; what is used of it since is what grows. Bytes. */
type State = { filling: Filling; free: number | null };

const GIB = 2 ** 30;
/** More room than at the beginning by this factor: something large was deleted. */
const BACK = 1.01;

/** The disk of the runs or of our history, whichever has less room. A checkpoint that does not fit is lost, and ends the training. */
export const diskFull = defineRule({
  id: 'disk_full',
  title: 'Disk runs full',
  description:
    'The room on the disks of the watched folders and the history shrinks and will be gone, or is nearly gone.',
  severity: ['warning', 'critical'],
  subject: 'host',
  needs: ['host'],
  parameters,
  tracks: {
    forecast: { hold: { evaluations: 2 }, keepFiring: { evaluations: 6 } },
    level: { hold: { ms: 20_000 }, keepFiring: { ms: 60_000 } },
  },
  init: (): State => ({ filling: newFilling(), free: null }),
  step: (state, input: HostTickInput, limits) => {
    const free = input.host?.diskFree;
    if (free == null) {
      const missing: Verdict = { kind: 'no-data', missing: ['free room on the disks'] };
      return [state, { forecast: missing, level: missing }];
    }
    const level = judgeLevel(free, limits);
    // Room that comes back begins a new course.
    if (state.free === null || free > BACK * state.free) Object.assign(state, { free, filling: newFilling() });
    const whole = state.free ?? free;
    if (!fill(state.filling, input.at, Math.max(0, whole - free), limits)) return [state, { level }];
    const ahead = forecast(state.filling, whole, limits);
    if (ahead.kind === 'unclear') return [state, { level, forecast: { kind: 'between' } }];
    if (ahead.kind === 'steady')
      return [state, { level, forecast: { kind: 'clear', result: 'The disk fills no more.' } }];
    const perHour = ahead.growth.slope * 3600;
    const verdict: Verdict = {
      kind: 'breach',
      severity: ahead.leftS < limits.criticalS ? 'critical' : 'warning',
      title: 'The disk runs full',
      problem: `${gib(free)} GiB are free, and ${gib(perHour)} GiB an hour are written: it is full in ${duration(ahead.leftS * 1000)}.`,
      evidence: [
        { name: 'free', value: gib(free), unit: 'GiB', expected: `above ${limits.least}` },
        { name: 'growth', value: gib(perHour), unit: 'GiB/h' },
        {
          name: "trend (Kendall's z)",
          value: significant(ahead.growth.z),
          unit: '',
          expected: `below ${limits.trend}`,
        },
      ],
      cause: CAUSE,
      fix: FIX,
      forecastS: Math.round(ahead.leftS),
      hold: { evaluations: ahead.isSure ? 1 : 2 },
    };
    return [state, { level, forecast: verdict }];
  },
});

const judgeLevel = (free: number, { least, leastClear }: Limits): Verdict => {
  if (free >= leastClear * GIB) return { kind: 'clear', result: `${gib(free)} GiB are free again.` };
  if (free >= least * GIB) return { kind: 'between' };
  return {
    kind: 'breach',
    severity: 'critical',
    title: 'The disk is nearly full',
    problem: `${gib(free)} GiB are free: the next checkpoint may not fit, which ends the training.`,
    evidence: [{ name: 'free', value: gib(free), unit: 'GiB', expected: `above ${least}` }],
    cause: CAUSE,
    fix: FIX,
    forecastS: 0,
  };
};

const CAUSE: Cause = {
  code: 'growth',
  text: 'Checkpoints (save_period), cached images (cache=disk) and logs are what a training writes most.',
  confidence: 0.3,
  signals: [],
  missing: ['which files grow'],
};

const FIX = [
  'Delete epoch*.pt of runs that have ended, or set save_period=-1: best.pt and last.pt stay.',
  'Look what grows: du -xh --max-depth=2 on that disk.',
  'Move the runs to a larger disk (project=) before the next start.',
] as const;
