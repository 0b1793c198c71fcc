import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import { Type } from 'typebox';
import { Value } from 'typebox/value';
import { runCollectorName } from '../src/collectors/run/folder.ts';
import { ReadinessSchema } from '../src/core/service.ts';
import { OPTIONS } from '../src/options.ts';
import { RULES } from '../src/rules/registry.ts';
import { startServer } from './server/start-server.ts';
import { startService } from './service.ts';
import { installNvidiaSmi } from './simulators/fake-program.js';

const ROOT = join(import.meta.dirname, '..');
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

const OpenApiSchema = Type.Object({ paths: Type.Record(Type.String(), Type.Record(Type.String(), Type.Unknown())) });

/** The cells of every table row, without the marks around code. */
const tableRows = (markdown: string): readonly (readonly string[])[] =>
  markdown
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .map((line) =>
      line
        .replace(/^\| ?|\|$/g, '')
        .split('|')
        .map((cell) => cell.trim().replaceAll('`', '')),
    );

t.test('the first screen of the README has the two commands that set everything up, and no other', (t) => {
  const screen = read('README.md').split('\n').slice(0, 40).join('\n');
  const commands = [...screen.matchAll(/^```sh\n(.*?)^```/gms)].flatMap((block) => (block[1] ?? '').trim().split('\n'));
  t.same(commands, ['npm ci && npm start -- --watch DIR', 'npm ci && npm test']);
  t.end();
});

t.test('the README names every rule', (t) => {
  const named = tableRows(read('README.md')).map(([first]) => first);
  for (const { id } of RULES) t.ok(named.includes(id), id);
  t.end();
});

t.test('every option is documented with its flag, variable, key and default, and nothing else is', (t) => {
  const documented = tableRows(read('docs/config.md')).filter(([, , key]) => key !== 'key' && /^\w+$/.test(key ?? ''));
  t.same(
    documented.map((cells) => cells.slice(0, 4)),
    Object.entries(OPTIONS).map(([key, { flag, placeholder, fileOnly, shown }]) => [
      fileOnly ? '' : `--${flag} ${placeholder}`,
      fileOnly ? '' : `SIGNALBOX_${flag.replaceAll('-', '_').toUpperCase()}`,
      key,
      shown,
    ]),
  );
  t.end();
});

t.test('every route that the service describes is documented, and no other', async (t) => {
  const server = await startServer();
  t.teardown(server.close);
  const document: unknown = await (await fetch(`${server.url}/openapi.json`)).json();
  if (!Value.Check(OpenApiSchema, document)) throw new Error('/openapi.json: expected paths with their methods');
  const served = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  );
  const documented = tableRows(read('docs/api.md')).flatMap(([first = '']) => (/^[A-Z]+ \//.test(first) ? first : []));
  t.same(documented.toSorted(), served.toSorted());
});

t.test('every collector of a running service is documented, and no other', async (t) => {
  const now = Date.now();
  const simulation = {
    clock: { startAt: now, wallStartAt: now, speed: 1 },
    driver: '550.163.01',
    gpus: [{ uuid: 'GPU-a', name: 'NVIDIA A100', memoryMib: 40_960, powerLimit: 250 }],
    trainings: [],
  };
  const folder = t.testdir({
    'simulation.json': JSON.stringify(simulation),
    'signalbox.yaml': 'logs: [elsewhere/*.log]\n',
    runs: {},
  });
  const nvidiaSmi = installNvidiaSmi({ folder, simulationFile: join(folder, 'simulation.json') });
  const places = ['--watch', join(folder, 'runs'), '--db', join(folder, 'history.db'), '--nvidia-smi', nvidiaSmi];
  const service = await startService([...places, '--config', join(folder, 'signalbox.yaml')]);
  t.teardown(service.stop);
  const readiness: unknown = await (await fetch(`${service.url}/readyz`)).json();
  await service.stop();
  if (!Value.Check(ReadinessSchema, readiness)) throw new Error('/readyz: expected collectors');

  const section = /^## Collectors$.*?(?=^## )/ms.exec(read('docs/architecture.md'))?.[0] ?? '';
  const [, ...documented] = tableRows(section).map(([name]) => name);
  const running = readiness.collectors.map(({ name }) => name);
  t.same(documented.toSorted(), [...running, runCollectorName('PATH')].toSorted());
});

t.test('every link of the documentation leads to a file that is there', (t) => {
  const pages = ['docs', 'docs/decisions'].flatMap((folder) =>
    readdirSync(join(ROOT, folder)).flatMap((name) => (name.endsWith('.md') ? `${folder}/${name}` : [])),
  );
  for (const page of ['README.md', 'CHANGELOG.md', ...pages]) {
    for (const [, target = ''] of read(page).matchAll(/\]\(([^):#]+)(?:#[^)]*)?\)/g)) {
      const path = join(dirname(page), target);
      t.doesNotThrow(() => readFileSync(join(ROOT, path)), `${page} leads to ${path}`);
    }
  }
  t.end();
});
