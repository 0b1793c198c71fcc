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

const ofGpu = (rule: string, over: Partial<Alert> = {}) => alert({ id: rule, rule, subject: 'gpu:0', ...over });
const ofRun = (rule: string, over: Partial<Alert> = {}) => alert({ id: rule, rule, gpu: null, ...over });

t.test('a lost GPU explains what its run suffers, and falling off the bus explains that it is lost', async (t) => {
  const lost = ofGpu('gpu_lost');
  for (const rule of ['hang', 'dataloader_stall', 'throughput_drop']) {
    t.equal(explainedBy(ofRun(rule), [ofRun(rule), ofRun('hang'), lost]), 'gpu_lost', rule);
  }
  t.equal(explainedBy(ofRun('loss_nan'), [lost]), null);
  const cause = { code: 'xid_79', text: '', confidence: 1, signals: [], missing: [] };
  t.equal(explainedBy(lost, [lost, ofGpu('gpu_xid', { cause })]), 'gpu_xid');
  t.equal(explainedBy(lost, [lost, ofGpu('gpu_xid', { cause: { ...cause, code: 'xid_13' } })]), null);
});

t.test('a GPU that is slowed down explains that it does less, not that it stands still', async (t) => {
  const throttle = ofGpu('gpu_throttle');
  const lower = [{ name: 'mean GPU utilization', value: 60, unit: '%', expected: 90 }];
  const less = ofRun('dataloader_stall', { evidence: lower });
  const stands = ofRun('dataloader_stall', { evidence: [{ name: 'pauses', value: 4, unit: '' }, ...lower] });
  t.equal(explainedBy(less, [less, throttle]), 'gpu_throttle');
  t.equal(explainedBy(stands, [stands, throttle]), null);
  t.equal(explainedBy(ofRun('throughput_drop'), [throttle]), 'gpu_throttle');
});
