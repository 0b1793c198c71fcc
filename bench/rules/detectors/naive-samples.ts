import type { SampleEvent, TraceEvent } from '../scenario.ts';
import { type Latch, timedLatch } from './latch.ts';
import type { Raised } from './raised.ts';

type Judge = (rule: string, bad: boolean, cause?: string) => void;

/** What these rules look at each second. %, and shares of what there is. */
type Look = {
  readonly utilization: number;
  readonly memoryShare: number;
  readonly ramShare: number;
  readonly diskFree: number;
  readonly throttle: readonly string[];
  readonly cpu: number;
  readonly iowait: number;
};

const GIB = 2 ** 30;

/** Set A (RULES 5): what people write first, fixed thresholds on single samples. */
export const playFirstSamples = (trace: readonly TraceEvent[]): readonly Raised[] => {
  let below10 = 0;
  let below5 = 0;
  return play(trace, {}, (look, judge) => {
    below10 = look.utilization < 10 ? below10 + 1 : 0;
    below5 = look.utilization < 5 ? below5 + 1 : 0;
    judge('dataloader_stall', below10 >= 5);
    judge('oom_risk', look.memoryShare > 0.9);
    judge('hang', below5 >= 60);
    judge(
      'gpu_throttle',
      look.throttle.some((reason) => reason !== 'gpu_idle' && reason !== 'applications_clocks_setting'),
    );
    judge('host_memory', look.ramShare > 0.9);
    judge('disk_full', look.diskFree < 5 * GIB);
  });
};

/** Set C (RULES 5): careful hand rules with a hold, but still fixed thresholds. */
export const playCarefulSamples = (trace: readonly TraceEvent[]): readonly Raised[] =>
  play(trace, PATIENCE, (look, judge) => {
    const { utilization, throttle, cpu, iowait } = look;
    judge('dataloader_stall', utilization < 20, iowait > 20 ? 'disk' : cpu > 90 ? 'cpu' : 'other');
    judge('oom_risk', look.memoryShare > 0.95);
    judge('hang', utilization < 5);
    const slowed = throttle.filter((reason) => SLOW_DOWNS.has(reason));
    const thermal = slowed.some((reason) => reason.includes('thermal'));
    judge('gpu_throttle', slowed.length > 0, thermal ? 'thermal' : 'hw');
    judge('host_memory', look.ramShare > 0.9);
    judge('disk_full', look.diskFree < 5 * GIB);
  });

const SLOW_DOWNS = new Set(['hw_slowdown', 'sw_thermal_slowdown', 'hw_thermal_slowdown', 'hw_power_brake_slowdown']);

/** Seconds that a rule holds before it fires, and keeps firing. */
const PATIENCE: Readonly<Record<string, readonly [fireS: number, clearS: number]>> = {
  dataloader_stall: [20, 60],
  oom_risk: [60, 60],
  hang: [120, 30],
  gpu_throttle: [10, 60],
  host_memory: [60, 60],
  disk_full: [60, 60],
};

const play = (
  trace: readonly TraceEvent[],
  patience: Readonly<Record<string, readonly [number, number]>>,
  judgeSecond: (look: Look, judge: Judge) => void,
): readonly Raised[] => {
  const latches = new Map<string, Latch>();
  const raised: Raised[] = [];
  let gpu: SampleEvent | null = null;
  for (const event of trace) {
    if (event.kind === 'gpu') gpu = event;
    if (event.kind !== 'host' || !gpu) continue;
    const at = event.t / 1000;
    judgeSecond(lookAt(gpu, event), (rule, bad, cause) => {
      const latch = latches.get(rule) ?? timedLatch(...(patience[rule] ?? [0, 0]));
      latches.set(rule, latch);
      if (latch(at, bad, !bad)) raised.push({ rule, at, cause: cause ?? null, leftS: null });
    });
  }
  return raised;
};

const lookAt = (gpu: SampleEvent, host: SampleEvent): Look => ({
  utilization: value(gpu, 'utilization'),
  memoryShare: value(gpu, 'memoryUsed') / value(gpu, 'memoryTotal'),
  ramShare: value(host, 'memoryUsed') / value(host, 'memoryTotal'),
  diskFree: value(host, 'diskFree'),
  throttle: gpu.throttle ?? [],
  cpu: value(host, 'cpu'),
  iowait: value(host, 'cpuIowait'),
});

const value = (event: SampleEvent, metric: string): number => {
  const found = event[metric];
  return typeof found === 'number' ? found : Number.NaN;
};
