import type { Alert } from '../../src/core/alert.ts';
import { createEngine, type GpuTick } from '../../src/rules/engine.ts';
import { RULES } from '../../src/rules/registry.ts';
import { START_AT } from './rows.ts';

/** A GPU that answers, and nothing else. */
export const GPU: GpuTick = {
  gpu: 'gpu:0',
  uuid: 'GPU-a',
  values: { utilization: 90, memoryUsed: 2 ** 34, temperature: 60, power: 300, eccErrors: 0, eccCorrected: 0 },
  trouble: null,
  othersAnswer: true,
  strangers: [],
  xids: [],
  run: null,
};

/** Every second judged by all rules of GPUs (null: no tick came): every change, and each alert as it was left. */
export const judgeGpu = (seconds: number, tickAt: (second: number) => Partial<GpuTick> | null) => {
  let ids = 0;
  const engine = createEngine({
    rules: RULES,
    newId: () => `a${++ids}`,
    onError: (_rule, _subject, error) => {
      throw error;
    },
  });
  const changes: { readonly second: number; readonly alert: Alert }[] = [];
  for (let second = 0; second < seconds; second++) {
    const tick = tickAt(second);
    if (tick === null) continue;
    for (const alert of engine.tickGpus(START_AT + second * 1000, [{ ...GPU, ...tick }]))
      changes.push({ second, alert });
  }
  const last = new Map(changes.map(({ alert }) => [alert.id, alert]));
  return { changes, fired: [...last.values()].filter(({ firedAt }) => firedAt !== null) };
};

/** The second in which an alert fired. */
export const firedAfterS = ({ firedAt }: Alert): number => ((firedAt ?? Number.NaN) - START_AT) / 1000;
