import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { openBrowser, type TestBrowser } from '../browser.ts';
import { startService } from '../service.ts';

const HEADER = 'epoch,time,train/box_loss,metrics/mAP50(B),metrics/mAP50-95(B),val/box_loss,lr/pg0\n';
const HOSTILE = '<img src=x onerror="document.title=1">';
const TOKEN = 'c2lnbmFsYm94LXRlc3QtdG9rZW4tMDAwMDAwMDAwMDE';

/** A training that is going on: a run folder to which epochs are appended. */
const createTraining = (t: Test, name: string) => {
  const folder = t.testdir({ runs: {} });
  const run = join(folder, 'runs', name);
  mkdirSync(run);
  writeFileSync(join(run, 'args.yaml'), 'task: detect\nmode: train\nmodel: yolo11n.pt\nepochs: 10\npatience: 0\n');
  writeFileSync(join(run, 'results.csv'), HEADER);
  return {
    flags: ['--watch', join(folder, 'runs'), '--gpu', 'off', '--db', join(folder, 'history.db')],
    otherDatabase: join(folder, 'other.db'),
    addEpoch: (epoch: number, loss = String(1 / epoch)) =>
      appendFileSync(join(run, 'results.csv'), `${epoch},${epoch * 60},${loss},0.5,0.4,${1.1 / epoch},0.01\n`),
  };
};

const openPage = async (t: Test, browser: TestBrowser, url: string) => {
  const page = await browser.context.newPage();
  t.teardown(() => page.close());
  page.setDefaultTimeout(30_000);
  await page.goto(url);
  return page;
};

t.test('the dashboard', async (t) => {
  const browser = await openBrowser();
  t.teardown(() => browser.close());

  t.test('shows a run by its name, whatever that is, and its next epoch without a reload', async (t) => {
    const training = createTraining(t, HOSTILE);
    training.addEpoch(1);
    const service = await startService(training.flags);
    t.teardown(() => service.stop());
    const page = await openPage(t, browser, service.url);

    await page.getByText('Epoch 1 of 10').waitFor();
    await page.getByRole('link', { name: HOSTILE, exact: true }).waitFor();
    t.equal(await page.locator('main img').count(), 0, 'the name is text, no element');
    t.match(await page.title(), 'Runs');

    await page.evaluate('window.sameDocument = true');
    training.addEpoch(2);
    await page.getByText('Epoch 2 of 10').waitFor();
    t.equal(await page.evaluate('window.sameDocument'), true, 'the document was not loaded again');
    t.same(browser.complaints, [], 'the console is clean');
  });

  t.test('says that the service is away, and shows what it missed when it is back', async (t) => {
    const training = createTraining(t, 'train');
    training.addEpoch(1);
    const first = await startService(training.flags);
    const page = await openPage(t, browser, first.url);
    await page.getByText('Epoch 1 of 10').waitFor();
    const status = page.getByRole('status');
    await page.evaluate('window.sameDocument = true');

    await first.stop();
    await status.getByText('No connection since').waitFor();
    training.addEpoch(2);
    const samePort = ['--port', new URL(first.url).port];
    const second = await startService([...training.flags, ...samePort]);
    await page.getByText('Epoch 2 of 10').waitFor();
    await status.getByText('No connection since').waitFor({ state: 'detached' });
    t.equal(await page.evaluate('window.sameDocument'), true, 'the document was not loaded again');

    await second.stop();
    await status.getByText('No connection since').waitFor();
    training.addEpoch(3);
    const third = await startService([...training.flags, ...samePort, '--db', training.otherDatabase]);
    t.teardown(() => third.stop());
    await page.getByText('Epoch 3 of 10').waitFor();
    t.equal(await page.getByRole('article').count(), 1, 'with another database, what it knew is forgotten');
  });

  t.test('leads from the mark of an alert on a chart to its problem, evidence and fix', async (t) => {
    const training = createTraining(t, 'train');
    for (const epoch of [1, 2, 3]) training.addEpoch(epoch);
    training.addEpoch(4, 'nan');
    const service = await startService(training.flags);
    t.teardown(() => service.stop());
    const page = await openPage(t, browser, service.url);

    await page.getByRole('table').or(page.getByRole('article')).getByRole('link', { name: 'train' }).click();
    const chart = page.getByRole('figure').filter({ hasText: 'box_loss' });
    await chart.getByText('NaN', { exact: true }).waitFor();
    await chart.getByRole('link', { name: /^Alert: / }).click();
    await page.getByRole('heading', { name: 'Problem' }).waitFor();
    await page.getByRole('heading', { name: 'What to do' }).waitFor();
    t.match(await page.title(), /^\(1\) train/, 'the tab counts what is firing');

    const problem = page.getByRole('heading', { name: 'Problem' }).locator('xpath=following-sibling::*[1]');
    const before = await problem.innerText();
    t.match(before, /epoch 4/);
    await page.reload();
    t.equal(await problem.innerText(), before, 'the address opens the same alert again');
  });

  t.test('asks for the token, and again when it is the wrong one', async (t) => {
    const training = createTraining(t, 'train');
    training.addEpoch(1);
    const service = await startService(training.flags, { SIGNALBOX_TOKEN: TOKEN });
    t.teardown(() => service.stop());
    const page = await openPage(t, browser, service.url);

    await page.getByLabel('Token').fill('bm90LXRoZS10b2tlbg');
    await page.getByRole('button', { name: 'Open the dashboard' }).click();
    await page.getByText('did not accept').waitFor();
    await page.getByLabel('Token').fill(TOKEN);
    await page.keyboard.press('Enter');
    const progress = page.getByText('Epoch 1 of 10');
    await progress.waitFor();
    t.equal(await progress.isVisible(), true, 'the run is shown');
    t.equal(await page.getByLabel('Token').count(), 0, 'and nothing is asked for any more');
  });
});
