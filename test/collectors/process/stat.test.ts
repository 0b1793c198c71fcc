import t from 'tap';
import { parseIo, parseStat, parseStatm } from '../../../src/collectors/process/stat.ts';

const REST = '100 100 0 -1 4194560 1 2 3 4 250 50 7 8 20 0 9 0 123456 1 2 3';

t.test('a process is read whatever its name holds', async (t) => {
  for (const name of ['python', 'a) R (b', ') ', '(', 'tab\tnew\nline', '((sd-pam))', 'コード', '']) {
    t.same(
      parseStat(`100 (${name}) D 7 ${REST}\n`),
      { name, state: 'D', parent: 7, cpuTicks: 300, startTicks: 123_456 },
      JSON.stringify(name),
    );
  }
});

t.test('what is no such text is not known, cut off anywhere', async (t) => {
  const whole = `100 (python) S 7 ${REST}\n`;
  for (const text of [null, '', '100', ')(', '100 (python)', 'x (y) S a b c', '100 (p) S -1 ', whole.slice(0, 60)]) {
    t.equal(parseStat(text), null, String(text));
  }
  for (let end = 0; end < whole.length; end++) {
    const { name = 'python', parent = 7 } = parseStat(whole.slice(0, end)) ?? {};
    t.strictSame({ name, parent }, { name: 'python', parent: 7 });
  }
});

t.test('I/O and memory are read, and absent where the kernel says something else', async (t) => {
  t.same(parseIo('rchar: 5\nread_bytes: 4096\nwrite_bytes: 8192\ncancelled_write_bytes: 1\n'), {
    read: 4096,
    written: 8192,
  });
  for (const text of [null, '', 'rchar: 5\n', 'read_bytes: 4096\n', 'read_bytes: x\nwrite_bytes: 1\n']) {
    t.equal(parseIo(text), null);
  }
  t.same(parseStatm('99 20 7 1 0 9 0\n'), { resident: 20, shared: 7 });
  for (const text of [null, '', '99', '99 20', 'a b c']) t.equal(parseStatm(text), null);
});
