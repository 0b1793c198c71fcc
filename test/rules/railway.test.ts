import { globSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import t from 'tap';
import type { EpochRow } from '../../src/core/run.ts';
import { createEngine } from '../../src/rules/engine.ts';
import { RULES } from '../../src/rules/registry.ts';
import { finish } from './finish.ts';
import { START_AT } from './rows.ts';

const FOLDERS = globSync('test/fixtures/railway/runs/detect/*/args.yaml').map(dirname).sort();

const rowsIn = (folder: string): EpochRow[] => {
  const [file] = globSync(`${folder}/results.csv`);
  if (file === undefined) return [];
  const [header = '', ...lines] = readFileSync(file, 'utf8').trimEnd().split('\n');
  const names = header.split(',');
  return lines.map((line): EpochRow => {
    const [epoch = Number.NaN, elapsedS = Number.NaN, ...values] = line.split(',').map(Number);
    const metrics = Object.fromEntries(values.map((value, i) => [names[i + 2] ?? '', value]));
    return {
      attempt: 1,
      epoch,
      at: START_AT + elapsedS * 1000,
      atSource: 'time',
      elapsedS,
      runElapsedS: elapsedS,
      metrics,
    };
  });
};

/** The alerts of a run folder, judged as an old run by all rules. */
const alertsOf = (folder: string) => {
  let ids = 0;
  const onError = (rule: string, subject: string, cause: unknown) => {
    throw new Error(`${rule} on ${subject}`, { cause });
  };
  const engine = createEngine({ rules: RULES, newId: () => `a${++ids}`, onError });
  const args = { epochs: 100, close_mosaic: 10, warmup_epochs: 3 };
  return finish(
    engine.backfill(
      { id: folder, name: folder, epochsPlanned: 100, epochBase: 1, args },
      rowsIn(folder),
      START_AT + 86_400_000,
    ),
  );
};

t.test('the report finds the early instability of epochs 3 to 5, noted and resolved', async (t) => {
  const spikes = alertsOf('test/fixtures/railway/runs/detect/yolo11n_20250909_141751').filter(
    ({ rule }) => rule === 'loss_spike',
  );
  t.match(spikes, [{ severity: 'info', epochs: [3, 5], result: 'resolved at epoch 6', count: 1, backfilled: true }]);
});

t.test(
  'of the nine runs only the one whose report says so is warned of: mAP swings by 0.3 points from 40 to 60',
  async (t) => {
    t.equal(FOLDERS.length, 9);
    const warned = FOLDERS.flatMap(alertsOf).filter(({ severity }) => severity !== 'info');
    t.match(warned, [{ rule: 'map_oscillation', run: /yolo11n_20250909_141751$/, severity: 'warning', count: 1 }]);
    const [first, last] = warned[0]?.epochs ?? [];
    t.ok(first && last && first <= 40 && last >= 60, `epochs ${first} to ${last}`);
    t.ok(Math.abs(Number(warned[0]?.evidence[0]?.value) - 0.003) < 0.0005);
  },
);
