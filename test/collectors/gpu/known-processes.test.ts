import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { createKnownProcesses } from '../../../src/collectors/gpu/known-processes.ts';

t.test('a process is read again when it is another one, or after a while', async (t) => {
  const procfs = t.testdir({ stat: 'btime 1700000000\n', passwd: '' });
  const write = (startTicks: number, command: string): void => {
    mkdirSync(join(procfs, '7'), { recursive: true });
    writeFileSync(join(procfs, '7/stat'), `7 (python) S 1 ${'0 '.repeat(17)}${startTicks} 0\n`);
    writeFileSync(join(procfs, '7/cmdline'), `${command}\0`);
  };
  let now = 0;
  const factsOf = createKnownProcesses({ procfs, passwd: join(procfs, 'passwd') }, () => now);
  const commandOf = (): string | null | undefined => factsOf([7]).get(7)?.command;

  write(100, 'first');
  t.equal(commandOf(), 'first');
  write(100, 'second');
  now = 4000;
  t.equal(commandOf(), 'first', 'not read again every second');
  now = 5000;
  t.equal(commandOf(), 'second');
  write(900, 'third');
  t.equal(commandOf(), 'third', 'another process of the same pid');
  t.same([...factsOf([]).keys()], []);
});
