import t from 'tap';
import { type MeasuredProcess, valuesOf } from '../../../src/collectors/process/run-values.ts';

const NOW = 1_757_427_471_000;

const process = (over: Partial<MeasuredProcess> = {}): MeasuredProcess => ({
  pid: 1,
  parent: null,
  role: 'training',
  command: 'python train.py',
  state: 'S',
  startedAt: NOW - 60_000,
  cpu: 110,
  memory: 1000,
  diskRead: 50,
  diskWrite: 5,
  isNew: false,
  workedAt: NOW,
  ...over,
});
const worker = (cpu: number, over: Partial<MeasuredProcess> = {}) => process({ role: 'worker', cpu, ...over });

t.test('what the processes of a run use is summed, and the mean of its workers taken', async (t) => {
  t.same(valuesOf([process(), worker(90), worker(40, { state: 'D' })], NOW), {
    cpu: 240,
    memory: 3000,
    diskRead: 150,
    diskWrite: 15,
    processes: 3,
    workers: 2,
    workersCpu: 65,
    workersBlocked: 0.5,
  });
});

t.test('workers that rest since long do not hide that the others are busy', async (t) => {
  const resting = [1, 2, 3].map(() => worker(0, { workedAt: NOW - 10_001 }));
  t.match(valuesOf([...resting, worker(98), worker(100)], NOW), { workers: 5, workersCpu: 99 });
  t.match(valuesOf(resting, NOW), { workersCpu: 0, workersBlocked: 0 }, 'all rest: that is known');
  t.match(valuesOf([worker(0, { workedAt: NOW - 9000 }), worker(100)], NOW), { workersCpu: 50 }, 'a short rest counts');
});

t.test('without workers nothing is said of them', async (t) => {
  t.match(valuesOf([process()], NOW), { workers: 0, workersCpu: null, workersBlocked: null });
});

t.test('a process that is new has no rates yet and does not hide those of the others', async (t) => {
  const fresh = worker(0, { isNew: true, cpu: null, diskRead: null, diskWrite: null });
  t.match(valuesOf([process(), worker(80), fresh], NOW), {
    cpu: 190,
    memory: 3000,
    diskRead: 100,
    workers: 2,
    workersCpu: 80,
  });
  t.match(valuesOf([fresh], NOW), { cpu: null, diskRead: null, workersCpu: null, memory: 1000 });
});

t.test('what cannot be read of one process is not known of the run, and never 0', async (t) => {
  const hidden = process({ diskRead: null, diskWrite: null, memory: null });
  t.match(valuesOf([process(), hidden], NOW), { cpu: 220, memory: null, diskRead: null, diskWrite: null });
});

t.test('a process that has ended and was not waited for is not counted', async (t) => {
  t.match(valuesOf([process(), worker(0, { state: 'Z' })], NOW), { processes: 1, workers: 0, workersCpu: null });
});
