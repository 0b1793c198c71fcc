import t from 'tap';
import { createEngine, type GpuTick } from '../../src/rules/engine.ts';
import { type AnyRule, defineRule, type GpuTickInput, type TickInput } from '../../src/rules/rule.ts';
import { run, START_AT } from './rows.ts';

const start = (...rules: readonly AnyRule[]) => {
  const errors: string[] = [];
  let ids = 0;
  const onError = (rule: string, subject: string) => errors.push(`${rule} ${subject}`);
  return { engine: createEngine({ rules, newId: () => `a${++ids}`, onError }), errors };
};

const about = {
  title: '',
  description: '',
  severity: ['warning'],
  parameters: {},
  tracks: { only: { hold: { evaluations: 2 }, keepFiring: { evaluations: 1 } } },
} as const;
const breach = {
  kind: 'breach',
  severity: 'warning',
  title: 'Hot',
  problem: '',
  evidence: [],
  cause: null,
  fix: [],
} as const;

/** Fires at the second sample in a row above 90 °C. */
const hot = defineRule({
  ...about,
  id: 'hot',
  subject: 'gpu',
  needs: ['gpu'],
  init: () => ({}),
  step: (state, { values }: GpuTickInput) => [
    state,
    { only: (values?.temperature ?? 0) > 90 ? breach : { kind: 'clear' } },
  ],
});

const tick = (gpu: string, temperature: number, over: Partial<GpuTick> = {}): GpuTick => ({
  gpu,
  uuid: `GPU-${gpu.at(-1)}`,
  values: { temperature },
  trouble: null,
  othersAnswer: true,
  strangers: null,
  xids: [],
  run: null,
  ...over,
});
const second = (n: number) => START_AT + n * 1000;

t.test('each GPU is judged by itself, and its alert names it and the run that it belongs to', async (t) => {
  const { engine } = start(hot);
  const ticks = [tick('gpu:0', 95, { run }), tick('gpu:1', 50)];
  t.match(engine.tickGpus(second(0), ticks), [{ state: 'pending', subject: 'gpu:0' }]);
  t.match(engine.tickGpus(second(1), ticks), [{ state: 'firing', subject: 'gpu:0', gpu: 'gpu:0', run: run.id }]);
  t.same(engine.tickGpus(second(2), ticks), []);
  t.match(engine.tickGpus(second(3), [tick('gpu:0', 50), tick('gpu:1', 95)]), [
    { id: 'a1', state: 'resolved', subject: 'gpu:0' },
    { id: 'a2', state: 'pending', subject: 'gpu:1', run: null },
  ]);
});

t.test('a rule about GPUs hears nothing of runs and hosts, and no other rule hears of GPUs', async (t) => {
  const heard: string[] = [];
  const listener = (subject: 'run' | 'gpu' | 'host') =>
    defineRule({
      ...about,
      id: subject,
      subject,
      needs: ['gpu', 'host'],
      init: () => ({}),
      step: (state, { kind }: TickInput | GpuTickInput) => {
        heard.push(`${subject} ${kind}`);
        return [state, {}];
      },
    });
  const { engine } = start(listener('run'), listener('gpu'), listener('host'));
  engine.tickGpus(second(0), [tick('gpu:0', 50)]);
  engine.tick(second(0), [{ run, gpus: null, host: null, rowWritten: false }]);
  engine.tickHost(second(0), { name: 'trainer', host: null, collectors: null });
  t.same(heard, ['gpu gpu', 'run tick', 'host host']);
});

t.test('a GPU that is not there any more, or whose name another one has now, is forgotten', async (t) => {
  const { engine } = start(hot);
  const both = [tick('gpu:0', 95), tick('gpu:1', 95)];
  engine.tickGpus(second(0), both);
  engine.tickGpus(second(1), both);
  const result = 'the GPU is not there any more';
  t.match(engine.tickGpus(second(2), [tick('gpu:0', 95), tick('gpu:1', 95, { uuid: 'GPU-b' })]), [
    { subject: 'gpu:1', state: 'pending' },
    { subject: 'gpu:1', state: 'resolved', result },
  ]);
  t.same(engine.takeGone(), ['gpu:1 GPU-1']);
  t.match(engine.tickGpus(second(3), []), [
    { subject: 'gpu:0', state: 'resolved', result },
    { subject: 'gpu:1', state: 'resolved' },
  ]);
});

t.test('after a restart the alert of a GPU goes on where it was', async (t) => {
  const before = start(hot).engine;
  before.tickGpus(second(0), [tick('gpu:0', 95)]);
  const open = before.tickGpus(second(1), [tick('gpu:0', 95)]);
  t.match(open, [{ state: 'firing' }]);
  const { engine, errors } = start(hot);
  engine.restore(JSON.parse(JSON.stringify(before.dirtyStates(second(1)))), open);
  t.same(engine.tickGpus(second(9), [tick('gpu:0', 95)]), []);
  t.match(engine.tickGpus(second(10), [tick('gpu:0', 50)]), [{ id: 'a1', state: 'resolved' }]);
  t.same(errors, []);
});

t.test('an alert of a GPU whose state is lost ends with the first tick', async (t) => {
  const before = start(hot).engine;
  before.tickGpus(second(0), [tick('gpu:0', 95)]);
  const open = before.tickGpus(second(1), [tick('gpu:0', 95)]);
  const { engine } = start(hot);
  engine.restore([], open);
  t.match(engine.tickGpus(second(2), [tick('gpu:0', 50)]), [{ id: 'a1', state: 'resolved' }]);
});

t.test('a rule about GPUs that throws is reported with its GPU and stops no other', async (t) => {
  const broken = defineRule({
    ...about,
    id: 'broken',
    subject: 'gpu',
    needs: ['gpu'],
    init: () => ({}),
    step: (_state, _input: GpuTickInput) => {
      throw new Error('no');
    },
  });
  const { engine, errors } = start(broken, hot);
  t.match(engine.tickGpus(second(0), [tick('gpu:0', 95)]), [{ rule: 'hot' }]);
  engine.tickGpus(second(1), [tick('gpu:0', 95)]);
  t.same(errors, ['broken gpu:0']);
});
