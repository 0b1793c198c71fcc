import t from 'tap';
import type { Alert } from '../../src/core/alert.ts';
import { explainedBy } from '../../src/rules/inhibition.ts';

const alert = (over: Partial<Alert>): Alert => ({
  id: 'a1',
  rule: 'oom_risk',
  severity: 'critical',
  state: 'firing',
  noDataSince: null,
  subject: 'run:r1',
  run: 'r1',
  gpu: 'gpu:0',
  epochs: null,
  startedAt: 0,
  firedAt: 0,
  resolvedAt: null,
  title: '',
  problem: '',
  evidence: [],
  cause: null,
  fix: [],
  forecastS: null,
  result: null,
  count: 1,
  inhibitedBy: null,
  ackedAt: null,
  silenced: false,
  backfilled: false,
  ...over,
});

t.test('memory that is full now explains the forecast that it will be, and not the other way round', async (t) => {
  const forecast = alert({ id: 'forecast', forecastS: 600 });
  const level = alert({ id: 'level', forecastS: 0 });
  t.equal(explainedBy(forecast, [forecast, level]), 'level');
  t.equal(explainedBy(level, [forecast, level]), null);
  t.equal(explainedBy(forecast, [forecast, alert({ id: 'level', forecastS: 0, state: 'pending' })]), null);
});

t.test('a NaN of the training loss explains a spike; one of the validation loss explains nothing', async (t) => {
  const spike = alert({ id: 'spike', rule: 'loss_spike' });
  t.equal(explainedBy(spike, [spike, alert({ id: 'nan', rule: 'loss_nan' })]), 'nan');
  t.equal(explainedBy(spike, [spike, alert({ id: 'nan', rule: 'loss_nan', severity: 'warning' })]), null);
});
