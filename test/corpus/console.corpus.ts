// Real console logs of other people's trainings. They may not be copied, so they are read where they lie, beside the
// checkout; `npm run test:corpus` runs this where they are there.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { createConsoleParser } from '../../src/collectors/console/parser.ts';
import { createResultsParser } from '../../src/collectors/results/parser.ts';
import { hear, NOTHING_SAID } from '../../src/core/output-facts.ts';
import type { RunEvent } from '../../src/core/trace.ts';

const RESULTS = '../shared/fixtures/results';
const CONSOLE = join(RESULTS, 'console');

const fileOf = (folder: string, number: string): string => {
  const name = readdirSync(folder).find((file) => file.startsWith(`${number}_`) && !file.endsWith('.yaml'));
  return join(folder, name ?? number);
};

const parse = (bytes: Buffer, next: () => number = () => bytes.length) => {
  const parser = createConsoleParser();
  const items = [];
  for (let from = 0; from < bytes.length; ) {
    const to = Math.min(bytes.length, from + next());
    items.push(...parser.push(bytes.subarray(from, to)));
    from = to;
  }
  return [...items, ...parser.rest()];
};

const eventsOf = (number: string): readonly RunEvent[] =>
  parse(readFileSync(fileOf(CONSOLE, number))).map(({ event }) => event);

const only = <Kind extends RunEvent['kind']>(kind: Kind, events: readonly RunEvent[]) =>
  events.filter((event): event is Extract<RunEvent, { kind: Kind }> => event.kind === kind);

const epochsOf = (events: readonly RunEvent[]) => {
  const epochs = [...new Set(only('batch', events).map(({ epoch }) => epoch))];
  return [epochs.length, epochs[0], epochs.at(-1)];
};

t.test('what every log says of its training', async (t) => {
  const of = (number: string) => {
    const events = eventsOf(number);
    const { starts, start, ending } = events.reduce(hear, NOTHING_SAID);
    return {
      epochs: epochsOf(events),
      starts,
      start: start && [start.framework, start.model, start.parameters, start.images, start.epochs],
      ending: ending && `${ending.state} ${ending.reason}`,
    };
  };
  t.same(of('C02'), {
    epochs: [59, 1, 59],
    starts: 1,
    start: ['ultralytics 8.4.21', 'rtdetr-l.pt', 32_814_296, 105, 60],
    ending: null,
  });
  // A detector, then RT-DETR in the same notebook: 50 epochs and 49.
  t.same(of('C09'), {
    epochs: [50, 1, 50],
    starts: 2,
    start: ['ultralytics 8.4.11', 'rtdetr-l.pt', 32_816_351, 2339, 50],
    ending: null,
  });
  t.same(of('C12'), {
    epochs: [19, 1, 19],
    starts: 1,
    start: ['ultralytics 8.4.14', 'yolov8m-cls.pt', 15_776_179, 1752, 60],
    ending: 'early_stopped patience',
  });
  t.same(of('C14'), {
    epochs: [10, 1, 10],
    starts: 1,
    start: ['ultralytics 8.4.36', 'yolo11n-cls.pt', 1_595_154, 36_977, 10],
    ending: 'finished said_finished',
  });
  // Begins in the middle, above its first epoch.
  t.same(of('C17'), {
    epochs: [100, 1, 100],
    starts: 1,
    start: [undefined, undefined, undefined, 2097, 100],
    ending: 'finished said_finished',
  });
  // Begins in the middle of epoch 0, with a thread's exception.
  t.same(of('C18'), { epochs: [199, 1, 199], starts: 0, start: null, ending: 'finished said_finished' });
});

t.test('the final tables, name by name', async (t) => {
  const finals = (number: string) => only('classes', eventsOf(number)).filter(({ final }) => final);
  t.match(finals('C17'), [
    { instances: { green: 52, red: 68, yellow: 11 }, 'mAP50-95': { green: 0.588, red: 0.625, yellow: 0.584 } },
  ]);
  t.match(finals('C09'), [
    {
      images: { stand: 410, lying_down: 365, foraging: 223, drinking_water: 89, rumination: 289 },
      mAP50: { stand: 0.904, lying_down: 0.888, foraging: 0.848, drinking_water: 0.623, rumination: 0.73 },
    },
  ]);
});

/** Console log and result file of the same run. Printed with 4 digits there, with 5 decimals here. */
for (const [log, results] of [
  ['C18', '006'],
  ['C12', '103'],
] as const) {
  t.test(`the last bar of each epoch of ${log} shows the losses of its result file`, async (t) => {
    const { rows } = createResultsParser().push(readFileSync(fileOf(RESULTS, results)));
    const rowOf = new Map(rows.map((row) => [row.epoch, row.metrics]));
    const steps = only('batch', eventsOf(log));
    t.ok(steps.length >= 19, `${steps.length} epochs`);
    for (const { epoch, batch, batches, loss = {} } of steps) {
      t.equal(batch, batches, `epoch ${epoch}`);
      for (const [name, value] of Object.entries(loss)) {
        const written = rowOf.get(epoch)?.[`train/${name}`];
        const shown = Number(value);
        const digit = 10 ** (Math.floor(Math.log10(Math.max(Math.abs(shown), 1e-9))) - 3);
        t.ok(Math.abs(Number(written) - shown) <= digit + 1e-5, `epoch ${epoch} ${name}: ${value} and ${written}`);
      }
    }
  });
}

t.test('the exceptions of threads and notebooks in real logs end no training', async (t) => {
  t.same(
    only('end', eventsOf('C18')).map(({ reason }) => reason),
    ['finished'],
  );
  t.match(only('end', eventsOf('C09')), [{ error: /^ValueError: not enough/ }, { reason: 'finished' }]);
});

t.test('every log says the same in whatever pieces it comes', async (t) => {
  for (const file of readdirSync(CONSOLE)) {
    const bytes = readFileSync(join(CONSOLE, file));
    const whole = parse(bytes);
    let step = 1;
    const next = () => {
      step = (step * 7919) % 1009;
      return 1 + step;
    };
    t.strictSame(
      parse(bytes, next).map(({ offset, event }) => ({ offset, event })),
      whole.map(({ offset, event }) => ({ offset, event })),
      file,
    );
  }
});
