import { stripVTControlCharacters } from 'node:util';
import t from 'tap';
import { check } from '../../src/doctor/check.ts';
import { createConceal } from '../../src/doctor/conceal.ts';
import type { Report } from '../../src/doctor/doctor.ts';
import { renderIssue } from '../../src/doctor/issue.ts';
import { createProgress } from '../../src/doctor/progress.ts';
import { renderText, wrap } from '../../src/doctor/text.ts';
import { bytesInWords, counted, listed, msInWords } from '../../src/doctor/wording.ts';

const REPORT: Report = {
  version: '0.1.0',
  at: 1_790_000_000_000,
  system: 'Linux 6.1 x64',
  checks: [
    check({ id: 'node', group: 'software', title: 'Node' }, { status: 'ok', says: '24.21.0' }),
    check(
      { id: 'gpu-persistence', group: 'gpu', title: 'Persistence mode' },
      {
        status: 'warning',
        says: 'off (GPU 0): while nothing uses a GPU, each first call takes seconds, which makes starts slow',
        details: ['GPU 0: off'],
        facts: { library: '/home/ada/lib/libnvidia-ml.so.1' },
        fix: ['sudo nvidia-smi -pm 1, or enable the service nvidia-persistenced on this machine'],
      },
    ),
    check({ id: 'port', group: 'network', title: 'Port' }, { status: 'problem', says: '127.0.0.1:4747 is taken' }),
  ],
};

t.test('the report has a heading a group, the status first, and what to do below it', async (t) => {
  const text = renderText(REPORT, { width: 120, colour: false });
  t.equal(
    text,
    `Signalbox 0.1.0 on Linux 6.1 x64

Software
  ok       Node              24.21.0

GPU
  warning  Persistence mode  off (GPU 0): while nothing uses a GPU, each first call takes seconds, which makes starts
                             slow
                             · GPU 0: off
                             → sudo nvidia-smi -pm 1, or enable the service nvidia-persistenced on this machine

Network
  problem  Port              127.0.0.1:4747 is taken

1 problem, 1 warning. To ask for help, paste what --format issue prints: no paths or names of yours are in it.
`,
  );
});

t.test('no line is wider than the terminal, down to 60 characters', async (t) => {
  for (const width of [60, 80, 100, 140]) {
    const lines = renderText(REPORT, { width, colour: false }).split('\n');
    t.ok(
      lines.every((line) => line.length <= width),
      `${width}: ${Math.max(...lines.map((line) => line.length))}`,
    );
  }
  const narrow = renderText(REPORT, { width: 20, colour: false });
  t.equal(narrow, renderText(REPORT, { width: 60, colour: false }), 'less than 60 counts as 60');
});

t.test('colours change nothing but the colours', async (t) => {
  const plain = renderText(REPORT, { width: 80, colour: false });
  const coloured = renderText(REPORT, { width: 80, colour: true });
  t.not(coloured, plain);
  t.equal(stripVTControlCharacters(coloured), plain);
});

t.test('what drivers and file names hold cannot steer the terminal', async (t) => {
  const subject = { id: 'gpu-nvml', group: 'gpu', title: 'NVML' } as const;
  const hostile = '\u001b[2Jgone\nproblem  all\u0007';
  const { says, details, fix } = check(subject, { status: 'ok', says: hostile, details: [hostile], fix: [hostile] });
  t.same([says, ...details, ...fix], Array(3).fill(' [2Jgone problem  all '));
});

t.test('a word that is longer than the room stays whole', async (t) => {
  t.same(wrap('see /a/very/long/path/to/it there', 10), ['see', '/a/very/long/path/to/it', 'there']);
  t.same(wrap('', 10), ['']);
});

const SECRETS = {
  home: '/home/ada',
  user: 'ada',
  host: 'trainer7',
  watch: ['/home/ada/project/runs', '/data'],
  databaseFolder: '/home/ada/project/data',
  root: '/opt/signalbox',
  files: ['/home/ada/token'],
};

t.test('what is shown to others holds no paths, names or UUIDs of the user', async (t) => {
  const conceal = createConceal(SECRETS);
  t.equal(conceal('/home/ada/project/runs/train3 and /data/x'), '<watched folder 1>/train3 and <watched folder 2>/x');
  t.equal(conceal('/home/ada/project/data/signalbox.db on trainer7'), '<database folder>/signalbox.db on <name>');
  t.equal(conceal('/opt/signalbox/node_modules/koffi'), '<signalbox>/node_modules/koffi');
  t.equal(conceal('/home/ada/lib, /home/bob/lib'), '~/lib, /home/<user>/lib');
  t.equal(conceal('chown ada /home/ada/token'), 'chown <name> <token>');
  t.equal(conceal('"GPU-4fd40c17-0bf4-cdc4-a3ca-1e9a5a3a2c5b"'), '"GPU-…"');
  t.equal(conceal('adamant metadata, trainer77'), 'adamant metadata, trainer77', 'parts of other words stay');
  const asRoot = createConceal({ ...SECRETS, home: '/root', user: 'root', host: 'localhost' });
  t.equal(asRoot('only root may listen at localhost'), 'only root may listen at localhost');
});

t.test('the report for an issue has every check, the facts of the GPUs, and goes through the concealing', async (t) => {
  const text = renderIssue(REPORT, createConceal(SECRETS));
  t.match(text, /problem {2}Port: 127\.0\.0\.1:4747 is taken/);
  t.match(text, 'gpu-persistence {"library":"~/lib/libnvidia-ml.so.1"}');
  t.notMatch(text, /\bada\b/);
});

t.test('a person who waits sees for what, and nothing of it is left', async (t) => {
  const written: string[] = [];
  await new Promise<void>((resolve) => {
    const progress = createProgress((text) => {
      written.push(text);
      if (text.includes('NVML')) {
        progress.end();
        resolve();
      }
    }, 36);
    progress.wait(['the driver (NVML)', 'a very long name of something else']);
  });
  t.match(written[0], 'looking at the driver (NVML)');
  t.ok(stripVTControlCharacters(written[0] ?? '').length <= 36, 'on one line');
  t.equal(stripVTControlCharacters(written.at(-1) ?? ''), '\r');
});

t.test('amounts and times are said as people say them', async (t) => {
  t.same([4096, 64 * 2 ** 20, 1.5 * 2 ** 30, 80 * 2 ** 30].map(bytesInWords), ['4 KiB', '64 MiB', '1.5 GiB', '80 GiB']);
  t.same([0.42, 23.4, 2500, 180_000].map(msInWords), ['0.4 ms', '23 ms', '2.5 s', '3 min']);
  t.same([counted(1, 'run'), counted(2, 'run'), counted(0, 'entry', 'entries')], ['1 run', '2 runs', '0 entries']);
  t.same(
    [listed([]), listed(['a']), listed(['a', 'b', 'c']), listed(['a', 'b', 'c'], 2)],
    ['', 'a', 'a, b and c', 'a, b and 1 more'],
  );
});
