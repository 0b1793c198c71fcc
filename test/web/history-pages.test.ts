import { join } from 'node:path';
import type { Page } from 'playwright-core';
import t, { type Test } from 'tap';
import { openBrowser } from '../browser.ts';
import { startService } from '../service.ts';
import { open } from '../store/open-store.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** A database with three hours of a GPU at 90 %, one sample of it, two hours ago, at 3 %. */
const databaseWithHistory = (t: Test): { readonly folder: string; readonly path: string } => {
  const folder = t.testdir({ runs: {} });
  const path = join(folder, 'history.db');
  const now = Date.now();
  const store = open(path);
  store.saveGpus([{ uuid: 'GPU-1a', index: 0, name: 'A100', driver: '550', memoryTotal: 40e9, powerLimit: 400 }], now);
  const at = (n: number) => now - 3 * HOUR + n * 2000;
  store.appendSamples(
    Array.from({ length: 5400 }, (_, n) => {
      const values = { utilization: n === 1800 ? 3 : 90, memoryUsed: 30e9, power: 300, temperature: 60 };
      return { subject: 'gpu:GPU-1a', at: at(n), values };
    }),
  );
  store.close();
  return { folder, path };
};

/** The lowest value that the chart of utilization shows, as its table says it. */
const lowest = (page: Page) =>
  page.getByRole('figure').filter({ hasText: 'Utilization' }).getByRole('row').nth(1).getByRole('cell').nth(1);

t.test('the GPU page looks back, closer, and comes back', async (t) => {
  const { folder, path } = databaseWithHistory(t);
  const service = await startService(['--watch', join(folder, 'runs'), '--gpu', 'off', '--db', path]);
  t.teardown(service.stop);
  const browser = await openBrowser();
  t.teardown(browser.close);
  const page = await browser.context.newPage();
  page.setDefaultTimeout(30_000);
  await page.goto(`${service.url}/gpus?range=6h`);
  const dips = (percent: string) => lowest(page).getByText(percent, { exact: true }).waitFor();

  await dips('3%');
  await page.getByLabel('24 hours').check();
  await page.waitForURL(/range=24h$/);
  await dips('3%');
  t.ok(await page.getByLabel('24 hours').isChecked(), 'one sample in a day is seen');

  const plot = page.getByRole('figure').filter({ hasText: 'Utilization' }).locator('.u-over');
  const drag = async (from: number, to: number) => {
    const { x, y, width } = (await plot.boundingBox()) ?? { x: 0, y: 0, width: 0 };
    await page.mouse.move(x + from * width, y + 20);
    await page.mouse.down();
    await page.mouse.move(x + to * width, y + 30, { steps: 4 });
    await page.mouse.up();
  };
  await drag(0.96, 0.99);
  await page.waitForURL(/range=24h&from=\d+&to=\d+$/);
  await dips('90%');
  await page.reload();
  await dips('90%');
  t.match(page.url(), /from=\d+&to=\d+$/, 'the address keeps what was dragged over');

  await page.getByRole('button', { name: 'Back to 24 hours' }).focus();
  await page.keyboard.press('Enter');
  await page.waitForURL(/range=24h$/);
  await dips('3%');

  await page.getByRole('button', { name: 'Look closer' }).press('Enter');
  await page.waitForURL(/from=/);
  await page.getByText('Nothing was measured in this time.').first().waitFor();
  await page.getByRole('button', { name: 'Later' }).click();
  await dips('3%');
  await plot.dblclick();
  await page.waitForURL(/range=24h$/);
  t.same(browser.complaints, [], 'the console is clean');
});
