import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { Alert } from '../../src/core/alert.ts';
import { type CollectorHealth, type CollectorState, isRunCollector } from '../../src/core/collector-health.ts';
import { collectorLook, isDegraded, splitCollectors } from '../../web/src/model/degraded.ts';
import { openBrowser, type TestBrowser } from '../browser.ts';
import { startServer } from '../server/start-server.ts';
import { open, T0 } from '../store/open-store.ts';

const WEB = join(import.meta.dirname, '../../dist/web');

const collector = (name: string, over: Partial<CollectorHealth> = {}): CollectorHealth => ({
  name,
  everyMs: 1000,
  lastSuccessAt: T0 - 400,
  lastErrorAt: null,
  error: null,
  failures: 0,
  durationMs: 2.5,
  misses: 0,
  polling: false,
  ...over,
});

const stale: Alert = {
  id: 'a_1',
  rule: 'collector_stale',
  severity: 'warning',
  state: 'firing',
  noDataSince: null,
  subject: 'host:trainer',
  run: null,
  gpu: null,
  epochs: null,
  startedAt: T0 - 60_000,
  firedAt: T0 - 30_000,
  resolvedAt: null,
  title: 'Collector gpu is stale',
  problem: 'The collector gpu has not succeeded for 45 s, its last error: "<b>EIO</b>".',
  evidence: [],
  cause: null,
  fix: ['Run nvidia-smi by hand.'],
  forecastS: null,
  result: null,
  count: 1,
  inhibitedBy: null,
  ackedAt: null,
  silenced: false,
  backfilled: false,
};

/** A page of the dashboard over a service whose collectors do as it is said. */
const openPage = async (
  t: Test,
  browser: TestBrowser,
  path: string,
  { health, alerts }: { readonly health: () => readonly CollectorHealth[]; readonly alerts: readonly Alert[] },
) => {
  const store = open();
  store.saveAlerts(alerts);
  const clock = { now: () => T0, after: () => () => {} };
  const server = await startServer({ store, clock, health, webRoot: WEB });
  t.teardown(server.close);
  const page = await browser.context.newPage();
  t.teardown(() => page.close());
  page.setDefaultTimeout(30_000);
  await page.goto(`${server.url}/${path}`);
  return page;
};

t.test('the page about the service itself', async (t) => {
  const browser = await openBrowser();
  t.teardown(browser.close);

  t.test('every page leads to what does not work, why, and what to do', async (t) => {
    let error: string | null = '<b>EIO</b>: read';
    const health = () => [
      collector('host'),
      error === null
        ? collector('gpu')
        : collector('gpu', { lastSuccessAt: T0 - 45_000, error, failures: 7, misses: 12 }),
      collector('run /runs/a', { polling: true }),
      collector('run /nfs/b', { lastSuccessAt: null, error: 'ESTALE', failures: 2 }),
    ];
    const page = await openPage(t, browser, '', { health, alerts: [stale] });
    await page.getByRole('link', { name: 'Health Something does not work' }).click();
    await page.getByRole('heading', { name: 'Health of Signalbox' }).waitFor();
    await page.getByText('What to do: Run nvidia-smi by hand.').waitFor();
    const gpu = page.getByRole('row').filter({ hasText: 'gpu' });
    await gpu.getByText('7 times in a row: <b>EIO</b>: read').waitFor();
    t.match(await gpu.innerText(), /Fails[\s\S]*45 sec ago[\s\S]*12/);
    t.match(
      await page.getByRole('row').filter({ hasText: 'host' }).innerText(),
      /Works[\s\S]*400 ms ago[\s\S]*2\.5 ms/,
    );
    await page.getByText('1 of 2 run folders cannot be read now.').waitFor();
    t.equal(await page.getByRole('row').filter({ hasText: '/runs/a' }).count(), 0, 'one that works is only counted');
    t.match(await page.getByText('Takes writes').locator('xpath=..').innerText(), /yes/);

    error = null;
    await gpu.getByText('Works').waitFor();
    t.same(browser.complaints, [], 'the console is clean');
  });

  t.test('a service that cannot see anything says so although its answer is an error', async (t) => {
    const health = () => [collector('host', { lastSuccessAt: null, error: 'EACCES', failures: 3 })];
    const page = await openPage(t, browser, 'health', { health, alerts: [] });
    await page.getByRole('alert').getByText('Every collector fails').waitFor();
    const link = page.getByRole('link', { name: 'Health Something does not work' });
    await link.waitFor();
    t.equal(await link.getAttribute('aria-current'), 'page');
  });
});

t.test('a look that fails now and then marks nothing', async (t) => {
  const states: CollectorState[] = [
    { ...collector('gpu', { error: 'EIO', failures: 1 }), ageMs: 400 },
    { ...collector('run /runs/a', { lastSuccessAt: null }), ageMs: null },
    { ...collector('run-finder'), ageMs: 400 },
    { ...collector('host'), ageMs: 31_000 },
  ];
  const readiness = {
    ready: true,
    database: { path: '', bytes: 1, writable: true, warning: null, samplesLost: 0 },
    collectors: states,
  };
  t.equal(isDegraded(readiness, new Map([['a_1', { ...stale, state: 'resolved' }]])), false);
  t.equal(isDegraded(readiness, new Map([['a_1', stale]])), true);
  t.equal(isDegraded({ ...readiness, ready: false }, new Map()), true);
  t.same(states.map(collectorLook), ['failing', 'waiting', 'works', 'silent']);
  const { own, runs } = splitCollectors(states);
  t.same([own.length, runs.length], [3, 1]);
  t.ok(runs.every(({ name }) => isRunCollector(name)));
});
