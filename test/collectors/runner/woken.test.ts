import t from 'tap';
import { createHandClock, createSource, settle, stage } from './stage.ts';

t.test('a source that wakes us is not polled beside that, and is when it has gone silent', async (t) => {
  const { clock, pass } = createHandClock();
  const { runner } = stage(t, clock);
  const { collector, looks, wake } = createSource(t);
  runner.add(collector);
  await settle();
  looks[0]?.answer({});
  await settle();
  for (let second = 1; second <= 20; second++) {
    pass(500);
    wake();
    await settle();
    looks.at(-1)?.answer({});
    await settle();
    pass(500);
    await settle();
    t.equal(looks.length, 1 + second);
  }
  for (let second = 1; second <= 6; second++) {
    pass(1000);
    await settle();
    looks.at(-1)?.answer({});
    await settle();
  }
  t.ok(looks.length > 21, 'silent for three periods or more');
  const before = looks.length;
  pass(1000);
  await settle();
  t.equal(looks.length, before + 1, 'and then every period');
});
