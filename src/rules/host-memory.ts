import type { Values } from '../core/sample.ts';
import { EXHAUSTION_PARAMETERS, type Filling, fill, forecast, newFilling } from './exhaustion.ts';
import { describeForecast, describeFull, type Store } from './exhaustion-report.ts';
import { defineRule, type HostTickInput, type Parameters, type ParameterValues, type Verdict } from './rule.ts';
import { significant } from './wording.ts';

const parameters = {
  ...EXHAUSTION_PARAMETERS,
  full: {
    default: 0.985,
    minimum: 0.5,
    maximum: 1,
    unit: '',
    description: 'share of the memory at which the kernel begins to kill',
  },
  level: { default: 0.95, minimum: 0.5, maximum: 1, unit: '', description: 'share from which on it is nearly full' },
  levelClear: {
    default: 0.9,
    minimum: 0.3,
    maximum: 1,
    unit: '',
    description: 'share below which there is room again',
  },
  pressure: {
    default: 10,
    minimum: 1,
    maximum: 100,
    unit: '%',
    description: 'memory pressure (PSI some avg10) that counts as full beside a high level',
  },
} as const satisfies Parameters;

type Limits = ParameterValues<typeof parameters>;

/** Memory of the host, or of the cgroup that we and most often the training are in, whichever is nearer to its end. */
export const hostMemory = defineRule({
  id: 'host_memory',
  title: 'Host memory runs out',
  description:
    "The host's memory (without caches that can be dropped), or that of our cgroup, grows and will be full, or is nearly full.",
  severity: ['warning', 'critical'],
  subject: 'host',
  needs: ['host'],
  parameters,
  tracks: {
    forecast: { hold: { evaluations: 2 }, keepFiring: { evaluations: 6 } },
    level: { hold: { ms: 20_000 }, keepFiring: { ms: 120_000 } },
  },
  init: (): Filling => newFilling(),
  step: (state, input: HostTickInput, limits) => {
    const memory = memoryOf(input.host);
    if (memory === null) {
      const missing: Verdict = { kind: 'no-data', missing: ['used and total memory of the host'] };
      return [state, { forecast: missing, level: missing }];
    }
    const store = describe(memory);
    const level = judgeLevel(store, input.host, limits);
    if (!fill(state, input.at, memory.used, limits)) return [state, { level }];
    const ahead = forecast(state, limits.full * memory.total, limits);
    return [state, { level, forecast: describeForecast(ahead, store, limits) }];
  },
});

type Memory = { readonly name: string; readonly used: number; readonly total: number };

const memoryOf = (host: Values | null): Memory | null => {
  const { memoryUsed, memoryTotal, limitMemoryUsed, limitMemory } = host ?? {};
  const whole = gauge('Host memory', memoryUsed, memoryTotal);
  const limit = gauge('The memory of our cgroup', limitMemoryUsed, limitMemory);
  if (whole === null || limit === null) return whole ?? limit;
  return limit.total - limit.used < whole.total - whole.used ? limit : whole;
};

const gauge = (name: string, used: number | null | undefined, total: number | null | undefined): Memory | null =>
  used == null || total == null || total <= 0 ? null : { name, used, total };

const judgeLevel = (store: Store, host: Values | null, limits: Limits): Verdict => {
  const share = store.used / store.total;
  const pressure = host?.pressureMemory ?? null;
  const isPressed = pressure !== null && pressure > limits.pressure && share >= limits.levelClear;
  if (share >= limits.level || isPressed) {
    const evidence = {
      name: 'memory pressure',
      value: pressure === null ? null : significant(pressure),
      unit: '%',
      expected: `below ${limits.pressure}`,
    };
    return describeFull(store, limits.level, [evidence]);
  }
  if (share >= limits.levelClear) return { kind: 'between' };
  return { kind: 'clear', result: `${store.name} has room again.` };
};

const describe = (memory: Memory): Store => ({
  ...memory,
  cause: {
    code: 'growth',
    text: 'Most often the dataloader: images cached in RAM, or copies that each worker keeps of a list that grows.',
    confidence: 0.4,
    signals: [],
    missing: ['memory by process over time'],
  },
  fix: [
    'Look which process grows: the page of the run shows the memory of its processes.',
    'Set cache=False or cache=disk, and lower workers.',
    'Restart from last.pt before it is full: the kernel kills the largest process, which is the training.',
  ],
});
