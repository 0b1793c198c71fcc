import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { connect } from '../server/stream-client.ts';
import { startService } from '../service.ts';
import { startSimulation } from '../simulators/demo.js';

type TraceLine = {
  readonly t: number;
  readonly kind: string;
  readonly run?: string;
  readonly [field: string]: unknown;
};

/** What the contract asks of each kind, beside t. */
const SHAPES: Readonly<Record<string, object>> = {
  start: { run: String },
  args: { run: String, epochs: 100, closeMosaic: 10, lr0: 0.01, lrf: 0.01, cosLr: true, warmupEpochs: 3 },
  epoch: { run: String, epoch: Number, elapsedS: Number, metrics: { 'train/box_loss': Number } },
  batch: { run: String, epoch: Number, batch: Number, batches: 732, loss: { box_loss: Number } },
  phase: { run: String, epoch: Number, phase: /^(train|val|save)$/ },
  log: { run: String, line: String },
  gpu: { gpu: 0, utilization: Number, memoryUsed: Number, memoryTotal: Number, power: Number, throttle: Array },
  host: { memoryTotal: Number },
};

t.test('a simulated training at real speed', async (t) => {
  const folder = t.testdir({});
  const startAt = Date.now() - 45_000;
  const simulation = startSimulation({
    folder,
    clock: { startAt, wallStartAt: startAt, speed: 1 },
    trainings: [{ name: 'train', startS: 0, epochs: 100, secondsPerEpoch: 5, seed: 3 }],
  });
  t.teardown(simulation.stop);
  const trace = join(folder, 'trace.ndjson');
  const start = (record: string) =>
    startService([
      '--watch',
      simulation.runs,
      '--db',
      join(folder, 'history.db'),
      '--nvidia-smi',
      simulation.nvidiaSmi,
      '--record',
      record,
    ]);
  const linesOf = (): readonly TraceLine[] =>
    readFileSync(trace, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
  /** Until the next event of each topic. */
  const hear = async (url: string) => {
    const client = await connect(url);
    client.send({ op: 'subscribe', topics: ['epochs', 'batches', 'logs', 'gpu'] });
    const missing = new Set(['epochs', 'batches', 'logs', 'gpu']);
    const frames = await client.until(({ op, topic = '' }) => {
      if (op === 'event') missing.delete(topic);
      return missing.size === 0;
    });
    client.ws.terminate();
    return frames;
  };

  let service = await start(trace);
  t.teardown(() => service.stop());
  const frames = await hear(service.url);
  const last = (topic: string) => frames.findLast((frame) => frame.op === 'event' && frame.topic === topic)?.data;
  t.match(last('batches'), { run: String, epoch: Number, batches: 732, loss: { box_loss: Number } }, 'steps come live');
  t.match(last('logs'), { run: String, line: String }, 'and so do the lines of its console');
  await service.stop();
  const first = linesOf();
  for (const [kind, shape] of Object.entries(SHAPES))
    t.match(
      first.find((line) => line.kind === kind),
      shape,
      kind,
    );
  t.same(
    first.filter(({ kind }) => !(kind in SHAPES)),
    [],
    'no other kind',
  );

  service = await start(trace);
  await hear(service.url);
  await service.stop();
  const both = linesOf();
  t.same(both.slice(0, first.length), first, 'another start goes on in the same file');
  const epochs = both.flatMap(({ kind, epoch }) => (kind === 'epoch' ? [epoch] : []));
  t.same(epochs, [...new Set(epochs)], 'which tells no epoch twice');
  t.ok(epochs.length > first.filter(({ kind }) => kind === 'epoch').length);
  t.ok(
    both.every(({ t }, i) => t >= (both[i - 1]?.t ?? 0)),
    't never falls',
  );

  service = await start(join(folder, 'nowhere', 'trace.ndjson'));
  await hear(service.url);
  t.ok(
    service.log.some((line) => line.includes('the trace cannot be written and ends here')),
    'a bad place is said',
  );
});
