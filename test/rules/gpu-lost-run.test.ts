import t from 'tap';
import type { Alert } from '../../src/core/alert.ts';
import type { Values } from '../../src/core/sample.ts';
import { createEngine, type Engine } from '../../src/rules/engine.ts';
import { RULES } from '../../src/rules/registry.ts';
import { GPU } from './gpus.ts';
import { run, START_AT } from './rows.ts';

const createRules = (): Engine => {
  let ids = 0;
  return createEngine({
    rules: RULES,
    newId: () => `a${++ids}`,
    onError: (_rule, _subject, error) => {
      throw error;
    },
  });
};

const WORK: Values = { utilization: 95, memoryUsed: 2 ** 34, runMemory: 2 ** 34, power: 300, temperature: 60 };
const IDLE: Values = { ...WORK, utilization: 0, power: 60 };
const NOTHING: Values = { utilization: null, memoryUsed: null, runMemory: null, power: null, temperature: null };
const host = (cpu: number) => ({ cpu, diskBusy: 1, diskRead: 0, cpuIowait: 0, pressureIo: 0, workersCpu: cpu });

/** A second of a run on two GPUs, of which the second is lost when `lost`; the first then waits for it. */
const judgeSecond = (engine: Engine, second: number, lost: boolean): readonly Alert[] => {
  const now = START_AT + second * 1000;
  const first = lost ? IDLE : WORK;
  return [
    ...engine.tickGpus(now, [
      { ...GPU, run, values: first },
      { ...GPU, run, gpu: 'gpu:1', uuid: 'GPU-b', values: lost ? null : WORK, trouble: lost ? 'GPU is lost' : null },
    ]),
    ...engine.tick(now, [
      {
        run,
        gpus: [
          { gpu: 'gpu:0', values: first },
          { gpu: 'gpu:1', values: lost ? NOTHING : WORK },
        ],
        host: host(lost ? 2 : 40),
        rowWritten: false,
      },
    ]),
  ];
};

t.test(
  'a GPU that is lost, the stall and the hang that follow are one notification, which names the GPU',
  async (t) => {
    const engine = createRules();
    const alerts = new Map<string, Alert>();
    const notified = new Set<string>();
    const play = (from: number, to: number, lost: boolean) => {
      for (let second = from; second < to; second++) {
        for (const alert of judgeSecond(engine, second, lost)) {
          alerts.set(alert.id, alert);
          if (alert.state === 'firing' && alert.inhibitedBy === null) notified.add(alert.rule);
        }
      }
    };
    play(0, 800, false);
    t.equal(alerts.size, 0);
    play(800, 1100, true);
    t.same([...notified], ['gpu_lost']);
    const [lost, ...others] = [...alerts.values()].filter(({ state }) => state === 'firing');
    t.match(lost, { rule: 'gpu_lost', subject: 'gpu:1', run: run.id });
    t.same(others.map(({ rule }) => rule).toSorted(), ['dataloader_stall', 'hang']);
    t.ok(others.every(({ inhibitedBy }) => inhibitedBy === lost?.id));
  },
);

t.test('what began before the GPU was lost is explained as soon as it is', async (t) => {
  const engine = createRules();
  for (let second = 0; second < 800; second++) judgeSecond(engine, second, false);
  const now = START_AT + 800_000;
  const idle = { run, gpus: [{ gpu: 'gpu:0', values: IDLE }], host: host(2), rowWritten: false };
  const hung = Array.from({ length: 200 }, (_, second) => engine.tick(now + second * 1000, [idle])).flat();
  const firing = hung.filter(({ state }) => state === 'firing');
  t.ok(firing.length > 0 && firing.some(({ inhibitedBy }) => inhibitedBy === null));
  const at = now + 200_000;
  const lost = { ...GPU, gpu: 'gpu:1', uuid: 'GPU-b', run, values: null, trouble: 'GPU is lost' };
  const [alert, ...explained] = engine.tickGpus(at, [lost]);
  t.match(alert, { rule: 'gpu_lost', state: 'firing' });
  t.ok(
    explained.length > 0 &&
      explained.every(({ subject, inhibitedBy }) => subject === 'run:r1' && inhibitedBy === alert?.id),
  );
  const [back, ...freed] = engine.tickGpus(at + 60_000, []);
  t.match(back, { rule: 'gpu_lost', state: 'resolved' });
  t.ok(
    freed.some(({ inhibitedBy }) => inhibitedBy === null),
    'and stands for itself again when it is not',
  );
});
