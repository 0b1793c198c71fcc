import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { whyPidsAreForeign } from '../../../src/collectors/gpu/host-pids.ts';

t.test(
  'pids of the driver count where they are those of the host, and elsewhere it is said how to get them',
  async (t) => {
    const procfs = (namespace: string): string => {
      const folder = t.testdir({});
      mkdirSync(join(folder, 'self/ns'), { recursive: true });
      symlinkSync(namespace, join(folder, 'self/ns/pid'));
      return folder;
    };
    t.equal(whyPidsAreForeign(procfs('pid:[4026531836]')), null);
    t.match(whyPidsAreForeign(procfs('pid:[4026532201]')), /docker run --pid=host/);
    t.equal(whyPidsAreForeign('/nonexistent'), null, 'where there is no /proc nothing speaks against it');
  },
);
