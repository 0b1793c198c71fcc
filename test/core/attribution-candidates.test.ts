import t from 'tap';
import { matchCandidates, type RunOnHost } from '../../src/core/attribution.ts';
import type { ObservedCandidate } from '../../src/core/batch.ts';

const AT = 1_757_427_471_000;
const RUN: RunOnHost = { id: 'one', path: '/home/ann/p/runs/detect/train', startedAt: AT, args: null };

const candidate = (over: Partial<ObservedCandidate>): ObservedCandidate => ({
  pid: 100,
  user: 'ann',
  command: '/usr/bin/python3 train.py --data railway.yaml',
  cwd: '/home/ann/p',
  startedAt: AT - 20_000,
  openFolders: [],
  ...over,
});

const matchOf = (...candidates: readonly Partial<ObservedCandidate>[]) =>
  matchCandidates([RUN], candidates.map(candidate)).get('one');

t.test('a training that works above its run folder and began when the run did is found', async (t) => {
  for (const command of [
    '/usr/bin/python3 train.py --data railway.yaml',
    '/opt/conda/bin/python3.11 /opt/conda/bin/yolo detect train data=railway.yaml',
    'python /usr/local/bin/yolo mode=train model=yolo11n.pt',
    'python -m torch.distributed.run --nproc_per_node 2 train_dual.py',
    'python -c from ultralytics import YOLO; YOLO("yolo11n.pt").train(data="x")',
    'python signalbox_callback.py yolo train model=yolo11n.pt',
  ]) {
    t.match(matchOf({ command }), { pid: 100, confidence: 0.6 }, command);
  }
});

t.test('what makes it surer: naming the run folder, and still more writing into it', async (t) => {
  const elsewhere = { cwd: '/', command: `python train.py --resume ${RUN.path}/weights/last.pt` };
  t.match(matchOf(elsewhere), { confidence: 0.8 });
  t.match(matchOf({ command: 'python main.py', openFolders: [RUN.path] }), { confidence: 0.95 });
});

t.test('Python that says nothing of a training is only guessed to be one', async (t) => {
  t.match(matchOf({ command: 'python main.py' }), { confidence: 0.5 });
});

t.test('shells, editors, viewers and other programs that name or open the run are not its training', async (t) => {
  for (const command of [
    `vim ${RUN.path}/args.yaml`,
    `tail -f ${RUN.path}/results.csv`,
    `bash -c python train.py --project ${RUN.path}`,
    'bash train.sh',
    `node /opt/signalbox/dist/main.js serve --watch ${RUN.path}`,
    `node /opt/signalbox/bin/signalbox.js run -- python train.py --name ${RUN.path}`,
    `code ${RUN.path}`,
    `/usr/bin/python3 /usr/local/bin/tensorboard --logdir ${RUN.path}`,
    `python -m tensorboard.main --logdir train`,
    'python3 -m http.server',
    '/usr/bin/python3 /usr/bin/jupyter-lab --no-browser train',
    `python /usr/local/bin/yolo val model=${RUN.path}/weights/best.pt`,
    `python detect.py --weights ${RUN.path}/weights/best.pt`,
    null,
  ]) {
    t.equal(matchOf({ command, openFolders: [RUN.path] }), undefined, command ?? 'a command that cannot be read');
  }
});

t.test('what began long before the run, well after it, or nobody knows when, is not its training', async (t) => {
  for (const startedAt of [AT - 31 * 60_000, AT + 61_000, null]) {
    t.equal(matchOf({ startedAt, openFolders: [RUN.path] }), undefined, String(startedAt));
  }
  const undated = matchCandidates([{ ...RUN, startedAt: null }], [candidate({ openFolders: [RUN.path] })]);
  t.equal(undated.size, 0);
});

t.test('of a training and its workers the training is meant, in whatever order they come', async (t) => {
  const workers = [101, 102].map((pid) => ({ pid, startedAt: AT + 5000 }));
  t.match(matchOf(...workers, {}), { pid: 100 });
  t.match(matchOf({}, ...workers), { pid: 100 });
});

t.test('a script beside the training does not take its place', async (t) => {
  t.match(matchOf({ pid: 99, command: 'python watch_gpu.py', startedAt: AT - 60_000 }, {}), { pid: 100 });
});

t.test('two trainings in one folder go to the runs that began with them', async (t) => {
  const second = { ...RUN, id: 'two', path: '/home/ann/p/runs/detect/train2', startedAt: AT + 10 * 60_000 };
  const later = candidate({ pid: 200, startedAt: second.startedAt - 20_000 });
  const matches = matchCandidates([RUN, second], [later, candidate({})]);
  t.equal(matches.get('one')?.pid, 100);
  t.equal(matches.get('two')?.pid, 200);
});

t.test('two trainings that begin at once in one folder go to the runs that their commands ask for', async (t) => {
  const second = { ...RUN, id: 'two', path: '/home/ann/p/runs/detect/train_s' };
  for (const words of [
    'project=runs/detect name=',
    '--project ./runs/detect/ --name ',
    'project=/home/ann/p/runs/detect name=',
  ]) {
    const pids = ['train_s', 'train'].map((name, i) =>
      candidate({ pid: 100 + i, command: `python yolo train ${words}${name}` }),
    );
    const matches = matchCandidates([RUN, second], pids);
    t.match(
      [matches.get('one'), matches.get('two')],
      [
        { pid: 101, confidence: 0.8 },
        { pid: 100, confidence: 0.8 },
      ],
      words,
    );
  }
  const third = { ...RUN, id: 'three', path: `${RUN.path}2`, startedAt: AT + 60_000 };
  const later = candidate({
    pid: 200,
    command: 'python yolo train project=runs/detect name=train',
    startedAt: AT + 50_000,
  });
  t.equal(matchCandidates([RUN, third], [later]).get('three')?.pid, 200, 'a folder that was taken gets a number');
});
