import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import t from 'tap';
import { Type } from 'typebox';
import { Value } from 'typebox/value';
import { generalHelp } from '../../src/help.ts';

const MAIN = join(import.meta.dirname, '../../src/main.ts');
const { INIT_CWD: _, SIGNALBOX_TOKEN: __, ...ENVIRONMENT } = process.env;

/** As a user calls it, without the build. */
const doctor = (folder: string, ...args: readonly string[]) =>
  spawnSync(process.execPath, [MAIN, 'doctor', ...args], { cwd: folder, encoding: 'utf8', env: ENVIRONMENT });

const ReportSchema = Type.Object({
  version: Type.String(),
  at: Type.Integer(),
  system: Type.String(),
  checks: Type.Array(
    Type.Object({
      id: Type.String(),
      group: Type.String(),
      title: Type.String(),
      status: Type.Enum(['ok', 'warning', 'problem', 'unknown']),
      says: Type.String({ minLength: 1 }),
      details: Type.Array(Type.String()),
      facts: Type.Record(Type.String(), Type.Unknown()),
      fix: Type.Array(Type.String()),
    }),
  ),
});

t.test('on a machine without a GPU doctor says what is there, and ends with 0', async (t) => {
  const folder = t.testdir({ runs: { train: { 'results.csv': 'epoch\n' } } });
  const { stdout, stderr, status } = doctor(folder, '--gpu', 'off', '--port', '0');
  t.equal(stderr, '');
  t.match(stdout, /^Signalbox \S+ on /);
  for (const heading of ['Software', 'GPU', 'Watched folders', 'History', 'Clock', 'Network'])
    t.match(stdout, new RegExp(`^${heading}$`, 'm'));
  t.match(stdout, '1 run, found in');
  t.notMatch(stdout, '\u001b', 'no colours where nobody sees them');
  t.equal(status, 0, stdout);
});

t.test('as JSON it is one object, each check with its own id; a problem ends with 1', async (t) => {
  const folder = t.testdir({ 'signalbox.db': 'not a database' });
  const { stdout, status } = doctor(folder, '--gpu', 'off', '--port', '0', '--db', 'signalbox.db', '--format', 'json');
  const report: unknown = JSON.parse(stdout);
  if (!Value.Check(ReportSchema, report)) throw new Error(`expected a report: ${stdout}`);
  const ids = report.checks.map(({ id }) => id);
  t.equal(new Set(ids).size, ids.length);
  t.match(
    report.checks.find(({ id }) => id === 'database-file'),
    { status: 'problem', says: /no SQLite database/ },
  );
  t.match(
    report.checks.find(({ id }) => id === 'watched-folder-1'),
    { status: 'warning', says: /does not exist/ },
  );
  t.equal(status, 1);
});

t.test('help lists the options; what is wrong on the command line ends with 2 and one line', async (t) => {
  const folder = t.testdir({});
  const help = doctor(folder, '--help');
  t.equal(help.status, 0);
  for (const flag of ['--format', '--watch', '--db', '--nvml', '--nvidia-smi', '--token-file', '--config'])
    t.match(help.stdout, `${flag} `);
  t.match(generalHelp(), /^ {2}doctor /m);
  for (const [args, said] of [
    [['--formt', 'json'], /--formt/],
    [['--format', 'yaml'], /--format: "yaml" is not a format; use text, json, issue/],
  ] as const) {
    const { status, stderr, stdout } = doctor(folder, ...args);
    t.equal(status, 2);
    t.match(stderr, said);
    t.equal(stderr.trim().split('\n').length, 1);
    t.equal(stdout, '');
  }
});
