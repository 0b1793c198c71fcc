import t from 'tap';
import { type RoleFacts, rolesOf } from '../../../src/collectors/process/roles.ts';

const PYTHON = '/opt/conda/bin/python3.11';
const words = (...all: readonly string[]) => all.map((word) => `${word}\0`).join('');
const TRAIN = words(PYTHON, '/opt/conda/bin/yolo', 'detect', 'train', 'data=x.yaml');

const process = (pid: number, parent: number, cmdline: string | null, over: Partial<RoleFacts> = {}): RoleFacts => ({
  pid,
  parent,
  name: 'python',
  cmdline,
  rank: null,
  isKnown: false,
  ...over,
});

const roles = (...processes: readonly RoleFacts[]) => Object.fromEntries(rolesOf(processes));

t.test('copies of the training are its dataloader workers, what it starts otherwise helps', async (t) => {
  const training = process(1, 0, TRAIN, { isKnown: true });
  const all = [
    training,
    process(2, 1, TRAIN),
    process(3, 1, TRAIN),
    process(4, 1, words(PYTHON, '-c', 'from multiprocessing.resource_tracker import main;main(5)')),
    process(5, 1, words('git', 'describe'), { name: 'git' }),
    process(6, 1, words(PYTHON, '-m', 'wandb.sdk.service')),
    process(7, 6, words(PYTHON, '-m', 'wandb.sdk.service')),
  ];
  const expected = { 1: 'training', 2: 'worker', 3: 'worker', 4: 'helper', 5: 'helper', 6: 'helper', 7: 'helper' };
  t.same(roles(...all), expected);
  t.same(roles(...all.toReversed()), expected, 'in whatever order they are found');
});

t.test('workers of spawn and of the fork server are found', async (t) => {
  const spawn = words(
    PYTHON,
    '-c',
    'from multiprocessing.spawn import spawn_main; spawn_main()',
    '--multiprocessing-fork',
  );
  const server = words(PYTHON, '-c', 'from multiprocessing.forkserver import main; main(3, 4)');
  const found = roles(
    process(1, 0, TRAIN, { isKnown: true }),
    process(2, 1, spawn),
    process(3, 1, server),
    process(4, 3, server),
    process(5, 3, server),
  );
  t.same(found, { 1: 'training', 2: 'worker', 3: 'helper', 4: 'worker', 5: 'worker' });
});

t.test('where PyTorch names its workers, other copies of the training are none', async (t) => {
  const main = { name: 'pt_main_thread' };
  const found = roles(
    process(1, 0, TRAIN, { ...main, isKnown: true }),
    process(2, 1, TRAIN, { name: 'pt_data_worker' }),
    process(3, 1, TRAIN, main),
  );
  t.same(found, { 1: 'training', 2: 'worker', 3: 'helper' });
});

t.test('the ranks of a distributed training train, each with its own workers', async (t) => {
  const rank = words(PYTHON, '-u', '/home/ann/.config/Ultralytics/DDP/_temp_x.py');
  const found = roles(
    process(1, 0, TRAIN, { isKnown: true }),
    process(2, 1, words(PYTHON, '-m', 'torch.distributed.run', '--nproc_per_node', '2')),
    process(3, 2, rank, { rank: '0' }),
    process(4, 2, rank, { rank: '1' }),
    process(5, 3, rank, { rank: '0' }),
    process(6, 4, rank, { rank: '1' }),
    process(7, 3, words(PYTHON, '-m', 'wandb.sdk.service'), { rank: '0' }),
  );
  t.same(found, { 1: 'training', 2: 'helper', 3: 'training', 4: 'training', 5: 'worker', 6: 'worker', 7: 'helper' });
});

t.test('below a shell the first Python is the training', async (t) => {
  const found = roles(
    process(1, 0, words('bash', 'train.sh'), { name: 'bash', isKnown: true }),
    process(2, 1, words('sleep', '9'), { name: 'sleep' }),
    process(3, 1, words('python3', 'train.py')),
    process(4, 3, words('python3', 'train.py')),
  );
  t.same(found, { 1: 'helper', 2: 'helper', 3: 'training', 4: 'worker' });
});

t.test('without commands the names that PyTorch gives tell the same', async (t) => {
  const found = roles(
    process(1, 0, null, { name: 'pt_main_thread', isKnown: true }),
    process(2, 1, null, { name: 'pt_data_worker' }),
    process(3, 1, null, { name: 'sh' }),
  );
  t.same(found, { 1: 'training', 2: 'worker', 3: 'helper' });
});

t.test('processes that seem to be each other’s parents have a role all the same', async (t) => {
  const found = roles(process(1, 2, TRAIN), process(2, 1, TRAIN), process(3, 3, TRAIN));
  t.same(Object.keys(found), ['1', '2', '3']);
});
