import t from 'tap';
import { barHeader, eventsOf, only, opening, ownBar, tqdmBar, valBar } from './lines.ts';

const steps = (log: string) => only('batch', eventsOf(log));

for (const [style, bar] of [
  ['tqdm', tqdmBar],
  ['own', ownBar],
] as const) {
  t.test(`the loss between two redraws is taken out of the running mean that a ${style} bar shows`, async (t) => {
    // The loss was 2 for 10 batches, then 1 for 10, then 4 for 5.
    const means: readonly (readonly [number, number])[] = [
      [10, 2],
      [20, 1.5],
      [25, 2],
    ];
    const log =
      barHeader(['box_loss', 'cls_loss']) +
      means.map(([done, mean]) => bar({ epoch: '7/100', losses: [mean, 0], done, total: 25 })).join('');
    t.match(steps(`${log}\n`), [
      { epoch: 7, batch: 10, batches: 25, loss: { box_loss: 2, cls_loss: 0 }, lossOver: 10 },
      { epoch: 7, batch: 20, batches: 25, loss: { box_loss: 1, cls_loss: 0 }, lossOver: 10 },
      { epoch: 7, batch: 25, batches: 25, loss: { box_loss: 4, cls_loss: 0 }, lossOver: 5 },
    ]);
  });

  t.test(
    `of a ${style} bar that is redrawn at every batch one redraw in fifty is kept, and the last one`,
    async (t) => {
      const redraws = Array.from({ length: 511 }, (_, done) => bar({ epoch: '1/9', losses: [1], done, total: 510 }));
      const kept = steps(`${barHeader(['loss'])}${redraws.join('')}\n`).map(({ batch }) => batch);
      t.same(kept, [...Array.from({ length: 46 }, (_, index) => 11 * (index + 1)), 510]);
    },
  );
}

t.test('a short epoch keeps a step for each of its batches', async (t) => {
  const log =
    barHeader(['loss']) + [0, 1, 2, 3].map((done) => ownBar({ epoch: '1/9', losses: [1], done, total: 3 })).join('');
  t.same(
    steps(log).map(({ batch }) => batch),
    [1, 2, 3],
  );
});

t.test('an epoch that is begun again, as after a halved batch, counts from its own beginning', async (t) => {
  const bar = (done: number, mean: number) => ownBar({ epoch: '1/9', losses: [mean], done, total: 4 });
  const events = eventsOf(`${barHeader(['loss'])}${bar(1, 9)}${bar(2, 9)}\n${bar(0, 3)}${bar(1, 3)}`);
  t.match(only('batch', events).at(-1), { batch: 1, loss: { loss: 3 }, lossOver: 1 });
  t.equal(only('phase', events).length, 2);
});

t.test('rates are seconds a batch, whichever way round the bar shows them', async (t) => {
  const rates = ['4it/s', '2.5s/it', '2Kit/s', '?it/s', '0.00it/s'];
  const log = rates
    .map((rate, index) => tqdmBar({ epoch: `${index + 1}/9`, losses: [1], done: 5, total: 5, rate }))
    .join('');
  t.same(
    steps(log).map(({ stepS }) => stepS),
    [0.25, 2.5, 0.0005, undefined, undefined],
  );
});

t.test('memory is in the units of the version that prints it, and absent on a CPU', async (t) => {
  const bar = (memory: string) => tqdmBar({ epoch: '1/3', losses: [1, 1, 1], done: 5, total: 5, memory });
  t.match(steps(opening({ version: '8.3.199' }) + bar('2G')), [{ reservedMib: 2048 }]);
  t.match(steps(opening({ version: '8.1.4' }) + bar('2G')), [{ reservedMib: 1907 }]);
  t.equal(steps(opening() + bar('0G'))[0]?.reservedMib, undefined);
});

t.test('epochs are numbered as the result file numbers them', async (t) => {
  const bar = tqdmBar({ epoch: '1/3', losses: [1, 1, 1], done: 5, total: 5 });
  const epoch = (log: string) => steps(log)[0]?.epoch;
  t.equal(epoch(opening({ version: '8.0.160' }) + bar), 1);
  t.equal(epoch(opening({ version: 'YOLOv8.0.117' }) + bar), 0, 'its csv counts from 0, its console from 1');
  t.equal(epoch(`YOLOv5 🚀 v7.0-72-g064365d Python-3.8.10 torch-1.11.0+cu113 CUDA:0\n${bar.replace('1/3', '0/2')}`), 0);
  t.equal(epoch(bar), 1, 'a log that begins in the middle: as the console says');
});

t.test('old headers name their losses as their result files do, without the sum of all', async (t) => {
  const header = '     Epoch   gpu_mem       box       obj       cls     total    labels  img_size\n';
  const bar =
    '     0/299     1.44G    0.1234    0.0567    0.0123    0.1924        45       640: 100%|██████████| 9/9 [00:52<00:00,  2.51it/s]\n';
  t.match(steps(header + bar), [{ epoch: 0, loss: { box_loss: 0.1234, obj_loss: 0.0567, cls_loss: 0.0123 } }]);
  t.notOk('total' in (steps(header + bar)[0]?.loss ?? {}));
});

t.test('a loss that is not a number is said in a word, and without a header no loss is guessed', async (t) => {
  const bar = ownBar({ epoch: '1/3', losses: ['nan', 'inf', 1], done: 5, total: 5 });
  t.match(steps(barHeader() + bar), [{ loss: { box_loss: 'nan', cls_loss: 'inf', dfl_loss: 1 } }]);
  t.notOk('loss' in (steps(bar)[0] ?? {}));
});

t.test('training and validation take turns', async (t) => {
  const bar = (epoch: number, done: number) => ownBar({ epoch: `${epoch}/3`, losses: [1, 1, 1], done, total: 2 });
  const log = [1, 2].map((epoch) => `${barHeader()}${bar(epoch, 0)}${bar(epoch, 2)}\n${valBar(0, 4)}${valBar(4, 4)}\n`);
  t.same(
    only('phase', eventsOf(log.join(''))).map(({ epoch, phase }) => `${phase} ${epoch}`),
    ['train 1', 'val 1', 'train 2', 'val 2'],
  );
});

t.test('a narrow terminal leaves the epoch, and nothing is made up for what it cut away', async (t) => {
  const whole = ownBar({ epoch: '1/3', losses: [1, 1, 1], done: 1, total: 2 });
  for (const length of [60, 75, 92]) {
    const events = eventsOf(`${barHeader()}${whole.slice(0, length)}`.repeat(2));
    t.same(only('batch', events), []);
    t.match(only('phase', events), [{ epoch: 1, phase: 'train' }]);
  }
});

t.test('what remains of a longer line behind a bar is not read', async (t) => {
  const bar = ownBar({ epoch: '1/3', losses: [1, 1, 1], done: 2, total: 2 });
  for (const leftover of ['s', '0.3s', '60.3ss', ' 4.5it/s 2.0s<1.0s']) {
    const events = eventsOf(`${barHeader()}${bar}${leftover}\n`);
    t.match(only('batch', events), [{ batch: 2, stepS: 0.212766 }]);
    t.equal(only('log', events).length, 2, 'the header and the full bar');
  }
});

t.test('a warning glued to a bar is a line of its own, even behind a redraw that is passed over', async (t) => {
  const bar = (done: number) => tqdmBar({ epoch: '1/3', losses: [1, 1, 1], done, total: 1000 });
  const log = `${barHeader()}${bar(100)}${bar(101)}${bar(102)}WARNING ⚠️ NMS time limit 1.500s exceeded\n${bar(103)}`;
  t.match(
    only('log', eventsOf(log)).filter(({ code }) => code !== undefined),
    [{ line: 'WARNING ⚠️ NMS time limit 1.500s exceeded', code: 'warning' }],
  );
});

t.test('the log shows each bar once, when it is full', async (t) => {
  const bar = (done: number) => tqdmBar({ epoch: '1/3', losses: [1, 1, 1], done, total: 2 });
  const lines = only('log', eventsOf(`${barHeader()}${bar(0)}${bar(1)}${bar(2)}${bar(2)}\n`)).map(({ line }) => line);
  t.equal(lines.length, 2);
  t.match(lines[1], /100%\|█+\| 2\/2/);
});
