import type { Cause } from '../core/alert.ts';
import { EXHAUSTION_PARAMETERS, type Filling, fill, forecast, newFilling } from './exhaustion.ts';
import { describeForecast, describeFull, type Store } from './exhaustion-report.ts';
import { defineRule, type HostTickInput, type Parameters, type Verdict } from './rule.ts';

const parameters = {
  ...EXHAUSTION_PARAMETERS,
  level: { default: 0.9, minimum: 0.5, maximum: 1, unit: '', description: 'share from which on it is nearly full' },
  levelClear: {
    default: 0.8,
    minimum: 0.3,
    maximum: 1,
    unit: '',
    description: 'share below which there is room again',
  },
} as const satisfies Parameters;

/** Shared memory, through which dataloader workers hand over their batches: when it is full, they die with a bus error. */
export const shmFull = defineRule({
  id: 'shm_full',
  title: '/dev/shm runs out',
  description:
    'Shared memory, which dataloader workers hand their batches over in, grows and will be full, or is nearly full.',
  severity: ['warning', 'critical'],
  subject: 'host',
  needs: ['host'],
  parameters,
  tracks: {
    forecast: { hold: { evaluations: 2 }, keepFiring: { evaluations: 6 } },
    level: { hold: { ms: 20_000 }, keepFiring: { ms: 60_000 } },
  },
  init: (): Filling => newFilling(),
  step: (state, input: HostTickInput, limits) => {
    const { shmUsed: used, shmTotal: total } = input.host ?? {};
    if (used == null || total == null || total <= 0) {
      const missing: Verdict = { kind: 'no-data', missing: ['used and total of /dev/shm'] };
      return [state, { forecast: missing, level: missing }];
    }
    const store: Store = { name: '/dev/shm', used, total, cause: CAUSE, fix: FIX };
    const level: Verdict =
      used >= limits.level * total
        ? describeFull(store, limits.level)
        : used >= limits.levelClear * total
          ? { kind: 'between' }
          : { kind: 'clear', result: '/dev/shm has room again.' };
    if (!fill(state, input.at, used, limits)) return [state, { level }];
    return [state, { level, forecast: describeForecast(forecast(state, total, limits), store, limits) }];
  },
});

const CAUSE: Cause = {
  code: 'workers',
  text: 'Batches that dataloader workers hand over lie here until they are used: too many workers, or a share that is too small (64 MiB is what Docker gives).',
  confidence: 0.6,
  signals: [],
  missing: ['files in /dev/shm by process'],
};

const FIX = [
  'In a container: start it with --ipc=host or --shm-size=8g.',
  'Lower workers, batch or imgsz.',
  'Look for files that a killed training left in /dev/shm (torch_*), and delete those of no living process.',
] as const;
