import { join } from 'node:path';
import t from 'tap';
import { readSettings } from '../src/config.ts';
import { DEFAULT_RETENTION } from '../src/core/retention.ts';
import { RETENTION_SHOWN } from '../src/retention-option.ts';

const DAY = 86_400_000;

const retentionOf = (text: string) =>
  readSettings({ flags: { retention: text }, environment: {}, folder: '/nowhere' }).retention;

t.test('the default is what help and the documentation show', (t) => {
  t.same(retentionOf(RETENTION_SHOWN), DEFAULT_RETENTION);
  t.same(readSettings({ flags: {}, environment: {}, folder: '/nowhere' }).retention, DEFAULT_RETENTION);
  t.end();
});

t.test('what is not said is as by default', (t) => {
  t.same(retentionOf('raw=30d'), { ...DEFAULT_RETENTION, rawMs: 30 * DAY });
  t.same(retentionOf('size=500MiB, 1h=2y'), { ...DEFAULT_RETENTION, maxBytes: 500 * 2 ** 20, hourMs: 730 * DAY });
  t.match(retentionOf('raw=12h,size=unlimited'), { rawMs: DAY / 2, maxBytes: Number.POSITIVE_INFINITY });
  t.end();
});

t.test('it may be a variable, and a map in the file', (t) => {
  const folder = t.testdir({ 'signalbox.yaml': 'retention:\n  raw: 30d\n  60s: forever\n  size: 20GiB\n' });
  t.same(readSettings({ flags: {}, environment: {}, folder }).retention, {
    rawMs: 30 * DAY,
    minuteMs: Number.POSITIVE_INFINITY,
    hourMs: Number.POSITIVE_INFINITY,
    maxBytes: 20 * 2 ** 30,
  });
  const environment = { SIGNALBOX_RETENTION: 'raw=1d' };
  t.match(readSettings({ flags: {}, environment, folder: join(folder, 'none') }).retention, { rawMs: DAY });
  t.end();
});

t.test('what cannot be used is refused in one line that says what can', (t) => {
  for (const [text, message] of [
    [
      'raw=14',
      '--retention: "raw=14" has an age for raw that cannot be used: "14"; use for example 12h, 14d, 2y or forever',
    ],
    ['raw=0d', /an age for raw that cannot be used: "0d"/],
    ['60s=30m', /an age for 60s that cannot be used: "30m"/],
    ['size=4GB', /a size that cannot be used: "4GB"; use 64MiB or more, for example 4GiB, or unlimited$/],
    ['size=1MiB', /a size that cannot be used/],
    ['10s=1d', /the unknown part "10s"; use raw, 60s, 1h and size$/],
    ['__proto__=1d', /the unknown part/],
    ['14d', /is not a retention; use for example raw=14d,60s=180d,1h=forever,size=4GiB$/],
    ['raw=1d=2d', /is not a retention/],
    ['raw=1d,', /is not a retention/],
    ['', /is not a retention/],
    ['raw=200d', /keeps what is finer for longer; 60s must be kept as long as raw, and 1h as long as 60s$/],
    ['1h=1d', /keeps what is finer for longer/],
  ] as const) {
    t.throws(() => retentionOf(text), { name: 'ConfigError', message }, text);
  }
  const folder = t.testdir({ 'signalbox.yaml': 'retention: [14d]\n' });
  t.throws(() => readSettings({ flags: {}, environment: {}, folder }), {
    message: /signalbox\.yaml: retention: \["14d"\] is not a retention/,
  });
  t.end();
});
