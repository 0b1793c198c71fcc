import type { Cause, Evidence } from '../core/alert.ts';
import type { ExhaustionLimits, Forecast } from './exhaustion.ts';
import type { Verdict } from './rule.ts';
import { duration, gib, significant } from './wording.ts';

/** What fills up, in words. */
export type Store = {
  /** `Host memory`, `/dev/shm`. */
  readonly name: string;
  /** Bytes. */
  readonly used: number;
  readonly total: number;
  readonly cause: Cause | null;
  readonly fix: readonly string[];
};

/** A forecast in the words of an alert. */
export const describeForecast = (forecast: Forecast, store: Store, limits: ExhaustionLimits): Verdict => {
  const { name, total, cause, fix } = store;
  if (forecast.kind === 'unclear') return { kind: 'between' };
  if (forecast.kind === 'steady') return { kind: 'clear', result: `${name} fills no more.` };
  const { growth, leftS, isSure } = forecast;
  const perHour = growth.slope * 3600;
  return {
    kind: 'breach',
    severity: leftS < limits.criticalS ? 'critical' : 'warning',
    title: `${name} fills up`,
    problem:
      `${name} grew by ${gib(growth.bytes)} GiB in ${duration(growth.overS * 1000)} to ${gib(growth.now)} of ` +
      `${gib(total)} GiB; at ${gib(perHour)} GiB an hour it is full in ${duration(leftS * 1000)}.`,
    evidence: [
      ...level(store),
      { name: 'growth', value: gib(perHour), unit: 'GiB/h', expected: 0 },
      { name: "trend (Kendall's z)", value: significant(growth.z), unit: '', expected: `below ${limits.trend}` },
    ],
    cause,
    fix,
    forecastS: Math.round(leftS),
    hold: { evaluations: isSure ? 1 : 2 },
  };
};

/** Something that is nearly full, in the words of an alert. `expected`: below which share it has to stay. */
export const describeFull = (store: Store, expected: number, more: readonly Evidence[] = []): Verdict => {
  const { name, used, total, cause, fix } = store;
  return {
    kind: 'breach',
    severity: 'critical',
    title: `${name} is nearly full`,
    problem: `${name}: ${gib(used)} of ${gib(total)} GiB are used (${significant((100 * used) / total)} %).`,
    evidence: [...level(store, expected), ...more],
    cause,
    fix,
    forecastS: 0,
  };
};

const level = ({ used, total }: Store, expected?: number): readonly Evidence[] => [
  {
    name: 'used',
    value: gib(used),
    unit: 'GiB',
    ...(expected !== undefined && { expected: `below ${gib(expected * total)}` }),
  },
  { name: 'in all', value: gib(total), unit: 'GiB' },
];
