import Fastify from 'fastify';
import t from 'tap';
import { Busy } from '../../src/core/ports.ts';
import { answerWithProblems } from '../../src/server/problem.ts';

t.test('a read that finds too many others waiting is answered 503 with the time to come back', async (t) => {
  const app = Fastify();
  t.teardown(() => app.close());
  answerWithProblems(app);
  app.get('/history', async () => {
    throw new Busy();
  });
  const answer = await app.inject('/history');
  t.equal(answer.statusCode, 503);
  t.equal(answer.headers['retry-after'], '2');
  t.match(answer.headers['content-type'], /^application\/problem\+json/);
  t.match(answer.json(), { status: 503, detail: /too many long reads/ });
});
