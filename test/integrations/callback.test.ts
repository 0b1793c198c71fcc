import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { Type } from 'typebox';
import { Value } from 'typebox/value';
import { RunEventSchema } from '../../src/core/trace.ts';

const SIDECAR = join(import.meta.dirname, '../../integrations/ultralytics/signalbox_callback.py');

const KindsSchema = Type.Array(Type.Object({ kind: Type.String() }));

const python = (...parameters: readonly string[]) =>
  spawnSync('python3', parameters, {
    cwd: import.meta.dirname,
    encoding: 'utf8',
    env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1', PYTHONPATH: join(import.meta.dirname, 'stand-in') },
    timeout: 60_000,
  });

// stdout is null where the program cannot be started, whatever its type says
const version = python('-c', 'import sys; print(sys.version_info >= (3, 8))').stdout?.trim();
const needsPython = { skip: version === 'True' ? false : 'there is no python3 of 3.8 or newer here' };

t.test('the callback passes its own tests in Python', needsPython, (t) => {
  const { status, stderr } = python('-m', 'unittest', 'discover', '--verbose');
  t.equal(status, 0, 'every test passes', { stderr });
  const told = stderr.matchAll(/^(test_\w+) .*\.\.\. (\w+)/gm);
  const results = Array.from(told, ([, name = '', result]) => ({ name: name.replaceAll('_', ' '), result }));
  t.ok(results.length > 50, 'there are tests');
  for (const { name, result } of results) t.match(result, /^(ok|skipped)$/, name);
  t.end();
});

t.test('what the callback writes is what Signalbox reads', needsPython, (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-callback-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  for (const task of ['detect', 'segment', 'pose'])
    t.equal(python(SIDECAR, 'yolo', 'train', `task=${task}`, `save_dir=${folder}`).status, 0, task);
  t.equal(python(SIDECAR, 'yolo', 'train', 'fail_at=1', `save_dir=${folder}`).status, 1, 'a training that fails');

  const lines = readFileSync(join(folder, 'signalbox.ndjson'), 'utf8').trimEnd().split('\n');
  const events = lines.map((line): unknown => JSON.parse(line));
  for (const event of events) t.ok(Value.Check(RunEventSchema, event), JSON.stringify(event));
  const kinds = new Set(Value.Parse(KindsSchema, events).map(({ kind }) => kind));
  t.same([...kinds].sort(), ['batch', 'classes', 'end', 'phase', 'start']);
  t.end();
});
