import t from 'tap';
import { DEMO_TRAININGS } from './demo.js';
import { compileTraining } from './scenario.js';
import { createScene } from './scene.js';

type TrainingPlan = import('./scenario.js').TrainingPlan;

const GPU = { uuid: 'GPU-a', name: 'NVIDIA A100-PCIE-40GB', memoryMib: 40_960, powerLimit: 250 };
const CLOCK = { startAt: 0, wallStartAt: 0, speed: 1 };
const PLAN = { name: 'exp1', startS: 100, epochs: 3, secondsPerEpoch: 60, seed: 7 };

/** The GPU at a second of the simulation, with one training on it. */
const stateOf = (plan: TrainingPlan) => {
  const scene = createScene({ clock: CLOCK, driver: '550.163.01', gpus: [GPU], trainings: [plan] });
  return (second: number) => {
    const [look] = scene.at(second);
    if (look === undefined) throw new Error('no GPU');
    return look.state;
  };
};

t.test('the same plan gives the same numbers, another seed gives others', async (t) => {
  const [one, same, other] = [PLAN, PLAN, { ...PLAN, seed: 8 }].map((plan) => compileTraining(plan, GPU));
  t.same(one?.rowOf(2), same?.rowOf(2));
  t.same(one?.gpuAt(200), same?.gpuAt(200));
  t.notSame(one?.rowOf(2), other?.rowOf(2));
});

t.test('a GPU is idle before and after its training and busy in it', async (t) => {
  const training = compileTraining(PLAN, GPU);
  const at = stateOf(PLAN);
  t.match(
    [at(0), at(PLAN.startS + training.endS + 1)],
    [
      { utilization: 0, throttle: 1 },
      { utilization: 0, memoryMib: 4 },
    ],
  );
  const busy = at(PLAN.startS + 60);
  t.ok(busy.utilization > 80 && busy.power > 150 && busy.memoryMib > 20_000 && busy.clockSm === 1410);
});

t.test('while data is missing the GPU waits, and the epoch takes that much longer', async (t) => {
  const stall = { fromS: 60, toS: 80, gapS: 10, everyS: 20, cause: 'disk' as const };
  const training = compileTraining({ ...PLAN, stall }, GPU);
  const at = stateOf({ ...PLAN, stall });
  t.ok(at(PLAN.startS + 65).utilization < 5);
  t.ok(at(PLAN.startS + 75).utilization > 80);
  t.equal(Math.round(training.endS - compileTraining(PLAN, GPU).endS), 10);
});

t.test('the trainings of the demo follow each other on the GPU and are over within two minutes', async (t) => {
  const ends = DEMO_TRAININGS.map((plan) => plan.startS + compileTraining(plan, GPU).endS);
  for (const [index, plan] of DEMO_TRAININGS.slice(1).entries()) {
    t.ok(plan.startS > (ends[index] ?? Number.POSITIVE_INFINITY), `${plan.name} begins when the one before has ended`);
  }
  t.ok(Math.max(...ends) < 2 * 60 * 60);
  t.same(
    DEMO_TRAININGS.map((plan) => compileTraining(plan, GPU).failsIn !== null),
    [false, false, true],
  );
});
