import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, utimesSync } from 'node:fs';
import { basename, join } from 'node:path';
import t from 'tap';
import { type TSchema, Type } from 'typebox';
import { Value } from 'typebox/value';
import { EpochRowSchema, type Run, RunSchema } from '../src/core/run.ts';
import { pageOf } from '../src/core/schema.ts';
import { connect } from './server/stream-client.ts';
import { startService } from './service.ts';

const FIXTURE = join(import.meta.dirname, 'fixtures/railway');

/** The tables of a report that a person wrote of nine trainings. */
const ReportSchema = Type.Object({
  sessions: Type.Array(
    Type.Object({
      run: Type.String(),
      state: Type.String(),
      reason: Type.Optional(Type.String()),
      epochs: Type.Integer(),
      planned: Type.Optional(Type.Integer()),
      hours: Type.Optional(Type.Number()),
      final_map50: Type.Optional(Type.Number()),
    }),
  ),
  time_efficiency: Type.Array(
    Type.Object({
      run: Type.String(),
      hours: Type.Number(),
      minutes_per_epoch: Type.Number(),
      images_per_second: Type.Number(),
    }),
  ),
});
const REPORT = Value.Parse(ReportSchema, JSON.parse(readFileSync(join(FIXTURE, 'expected.json'), 'utf8')));

/** What the report does not say of a session because it goes without saying. */
const REASONS: Readonly<Record<string, string>> = { early_stopped: 'patience', finished: 'all_epochs_done' };

/** Some names say when their training began; the others began in the days before. */
const startOf = (name: string, index: number): number => {
  const [, year, month, day, hour, minute, second] =
    /_(\d{4})(\d\d)(\d\d)_(\d\d)(\d\d)(\d\d)$/.exec(name)?.map(Number) ?? [];
  return year === undefined || month === undefined
    ? Date.UTC(2025, 8, index, 8)
    : Date.UTC(year, month - 1, day, hour, minute, second);
};

const lastElapsedS = (resultsCsv: string): number =>
  existsSync(resultsCsv) ? Number(readFileSync(resultsCsv, 'utf8').trimEnd().split('\n').at(-1)?.split(',')[1]) : 0;

/** Copies the run folders and gives the copies the times at which they were written. */
const layOut = (root: string): void => {
  cpSync(join(FIXTURE, 'runs'), root, { recursive: true });
  for (const [index, { run }] of REPORT.sessions.entries()) {
    const folder = join(root, 'detect', run);
    const startedAt = startOf(run, index);
    const endedAt = startedAt + lastElapsedS(join(folder, 'results.csv')) * 1000;
    for (const name of readdirSync(folder)) {
      const at = name === 'args.yaml' ? startedAt : name === 'results.csv' ? endedAt : endedAt + 10_000;
      utimesSync(join(folder, name), at / 1000, at / 1000);
    }
  }
};

const rounded = (value: number | null | undefined, digits: number): number | null =>
  typeof value === 'number' ? Number(value.toFixed(digits)) : null;

t.test('the nine railway sessions are what the report of them says', async (t) => {
  const root = t.testdir({});
  const runsFolder = join(root, 'runs');
  mkdirSync(runsFolder);
  layOut(runsFolder);
  const service = await startService(['--watch', runsFolder, '--db', join(root, 'data/history.db'), '--gpu', 'off']);
  t.teardown(() => service.stop());
  const client = await connect(service.url);
  t.teardown(() => client.ws.terminate());
  client.send({ op: 'subscribe', topics: ['runs'] });
  let told = 0;
  await client.until(({ topic, data }) => {
    if (topic === 'runs') told += Array.isArray(data) ? data.length : 1;
    return told >= REPORT.sessions.length;
  });

  const read = async <T extends TSchema>(path: string, schema: T) =>
    Value.Parse(schema, await (await fetch(`${service.url}/api/v1${path}`)).json());
  const { items } = await read('/runs', pageOf(RunSchema));
  const hoursOf = async ({ id }: Run) => {
    const rows = await read(`/runs/${id}/epochs`, pageOf(EpochRowSchema));
    return (rows.items.at(-1)?.elapsedS ?? 0) / 3600;
  };
  t.equal(items.length, REPORT.sessions.length);

  for (const [index, session] of REPORT.sessions.entries()) {
    const run = items.find(({ path }) => basename(path) === session.run);
    if (run === undefined) throw new Error(`${session.run} is not among the runs`);
    const { state, stateReason, epochs, epochsPlanned, attempts, task, rowsKeptOut } = run;
    t.same(
      { state, stateReason, epochs, epochsPlanned, attempts, task, rowsKeptOut },
      {
        state: session.state,
        stateReason: session.reason ?? REASONS[session.state],
        epochs: session.epochs,
        epochsPlanned: session.planned ?? 100,
        attempts: 1,
        task: 'detect',
        rowsKeptOut: 0,
      },
      session.run,
    );
    t.equal(run.startedAt, startOf(session.run, index), `${session.run}: when it began`);
    t.ok(run.stateEvidence.length > 0, `${session.run}: says why`);
    if (session.hours !== undefined) t.equal(rounded(await hoursOf(run), 1), session.hours, `${session.run}: hours`);
    if (session.final_map50 !== undefined) {
      t.equal(rounded(run.latest?.metrics['metrics/mAP50(B)'], 3), session.final_map50, `${session.run}: mAP50`);
    }
    const pace = REPORT.time_efficiency.find(({ run: name }) => name === session.run);
    if (pace === undefined) continue;
    t.equal(rounded(run.imagesPerSecond, 1), pace.images_per_second, `${session.run}: images a second`);
    t.equal(rounded((run.secondsPerEpoch ?? 0) / 60, 1), pace.minutes_per_epoch, `${session.run}: minutes an epoch`);
  }
});
