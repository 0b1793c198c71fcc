import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import Database from 'better-sqlite3';
import t, { type Test } from 'tap';
import type { Store } from '../../src/core/ports.ts';
import type { Sample } from '../../src/core/sample.ts';
import { MIGRATIONS, open, T0 } from './open-store.ts';

const FIXTURES = join(import.meta.dirname, '../fixtures/databases');

/** What the earlier version read of its own; what it did not have is missing. */
type Expected = {
  readonly runs: readonly {
    readonly run: { readonly id: string };
    readonly rows: readonly unknown[];
    readonly attempts: readonly unknown[];
    readonly processes?: readonly unknown[];
    readonly steps?: readonly unknown[];
    readonly phases?: readonly unknown[];
    readonly log?: readonly unknown[];
  }[];
  readonly gpus: readonly object[];
  readonly hosts: readonly object[];
  readonly alerts: readonly { readonly id: string }[];
  readonly ruleStates: readonly unknown[];
  readonly cursor: string;
  readonly samples: Readonly<Record<string, readonly Pick<Sample, 'at' | 'values'>[]>>;
};

const fixtures = readdirSync(FIXTURES).flatMap((name) => /^schema-(\d+)\.db\.gz$/.exec(name)?.[1] ?? []);

const knownOf = ({ at, values }: Sample) => ({
  at,
  values: Object.fromEntries(Object.entries(values).filter(([, value]) => value !== null)),
});

/** The same in the same order, whatever was added to each since. */
const sameBut = (t: Test, found: readonly unknown[], expected: readonly object[] | undefined, what: string) => {
  t.equal(found.length, expected?.length, what);
  t.match(found, expected, what);
};

const compare = (t: Test, store: Store, expected: Expected) => {
  t.equal(store.listRuns({ limit: 9 }).items.length, expected.runs.length);
  for (const { run, rows, attempts, processes, steps, phases, log } of expected.runs) {
    t.match(store.getRun(run.id), run);
    t.same(store.rowsOf(run.id), rows);
    t.same(store.listAttempts(run.id), attempts);
    t.same(store.processesOf(run.id), processes ?? []);
    t.same(store.listSteps(run.id, { limit: 99 }).items, steps ?? []);
    t.same(store.listPhases(run.id, { from: 0, to: 2 * T0 }), phases ?? []);
    t.same(store.logTail(run.id, 99), log ?? []);
  }
  sameBut(t, store.listGpus(), expected.gpus, 'GPUs');
  sameBut(t, store.listHosts(), expected.hosts, 'hosts');
  t.same(store.listAlerts({ limit: 9 }).items, expected.alerts);
  t.same(store.ruleStates(), expected.ruleStates);
  t.equal(store.cursor(), expected.cursor, 'clients go on where they were');
  for (const [subject, samples] of Object.entries(expected.samples)) {
    t.same(store.samplesSince(subject, 0).map(knownOf), samples, subject);
  }
};

for (const schema of fixtures) {
  t.test(`a database of schema ${schema} is brought up to date, and reads back as it was`, async (t) => {
    const path = join(t.testdir(), 'signalbox.db');
    writeFileSync(path, gunzipSync(readFileSync(join(FIXTURES, `schema-${schema}.db.gz`))));
    // Made by fill.js, beside the database.
    const expected = JSON.parse(readFileSync(join(FIXTURES, `schema-${schema}.json`), 'utf8')) as Expected;
    for (const round of ['at first', 'and after a restart']) {
      const store = open(path);
      compare(t, store, expected);
      store.close();
      const db = new Database(path, { readonly: true });
      t.equal(db.pragma('user_version', { simple: true }), readdirSync(MIGRATIONS).length, round);
      t.equal(db.pragma('integrity_check', { simple: true }), 'ok');
      t.same(db.pragma('foreign_key_check'), []);
      db.close();
    }
  });
}

t.test('there is a database of every schema that a version ever wrote, but the newest', async (t) => {
  const { length: newest } = readdirSync(MIGRATIONS);
  const written = Array.from({ length: newest - 1 }, (_, i) => String(i + 1)).filter((schema) => schema !== '2');
  t.same(fixtures.toSorted(), written, 'migrations 2 and 3 came together');
});
