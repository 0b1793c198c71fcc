import t from 'tap';
import { judgeSoftware, type SoftwareFacts } from '../../src/doctor/checks/software.ts';
import { checkOf, statuses } from './judged.ts';

const GOOD: SoftwareFacts = {
  node: '24.21.0',
  pinned: '24.21.0',
  hasSetpriv: true,
  hasScript: true,
  platform: 'linux',
};

t.test('a machine with everything on it has nothing to do', async (t) => {
  const checks = judgeSoftware(GOOD);
  t.same(statuses(checks), { node: 'ok', setpriv: 'ok', script: 'ok' });
  t.same(
    checks.flatMap(({ fix }) => fix),
    [],
  );
});

t.test('a Node that crashes the database binding is a problem, one beside the tested one is not', async (t) => {
  for (const node of ['20.20.2', '22.21.9', '18.0.0']) {
    const found = checkOf(judgeSoftware({ ...GOOD, node }), 'node');
    t.match(found, { status: 'problem', says: /too old.*22\.22/, fix: [/npm ci/] });
  }
  t.match(checkOf(judgeSoftware({ ...GOOD, node: '22.22.0' }), 'node'), { status: 'ok', says: /24\.21\.0/ });
  t.match(checkOf(judgeSoftware({ ...GOOD, node: '26.0.0', pinned: null }), 'node'), { status: 'ok', says: '26.0.0' });
});

t.test('without the programs of util-linux it says what each is for', async (t) => {
  const checks = judgeSoftware({ ...GOOD, hasSetpriv: false, hasScript: false });
  t.match(checkOf(checks, 'setpriv'), { status: 'warning', says: /outlive a service/, fix: [/util-linux/] });
  t.match(checkOf(checks, 'script'), { status: 'warning', says: /no console log/, fix: [/util-linux/] });
});

t.test('another system than Linux is told what it will miss', async (t) => {
  t.match(checkOf(judgeSoftware({ ...GOOD, platform: 'darwin' }), 'platform'), { status: 'warning', says: /darwin/ });
});
