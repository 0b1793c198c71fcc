import t from 'tap';
import { Value } from 'typebox/value';
import { type Ingested, IngestedSchema } from '../../src/core/ingest.ts';
import { T0 } from '../store/open-store.ts';
import { startServer, type TestServer } from './start-server.ts';

const NDJSON = { 'content-type': 'application/x-ndjson' };

const post = (server: TestServer, query: string, body: string, headers: Record<string, string> = NDJSON) =>
  fetch(`${server.url}/api/v1/ingest${query}`, { method: 'POST', body, headers });

/** The answer to a body of which something was taken. */
const send = async (...sent: Parameters<typeof post>): Promise<Ingested> => {
  const answer = await post(...sent);
  const body: unknown = await answer.json();
  Value.Assert(IngestedSchema, body);
  return body;
};

const step = (batch: number, more: object = {}) =>
  JSON.stringify({ t: T0 + batch, kind: 'batch', epoch: 1, batch, loss: { box_loss: 0.5 }, ...more });

const lines = (server: TestServer, run: string) => server.store.logTail(run, 500).map(({ line }) => line);

t.test('a trainer elsewhere sends its lines, and they are its run', async (t) => {
  const server = await startServer();
  t.teardown(server.close);
  const body = [`{"t":${T0},"kind":"start","pid":1}`, step(1), step(2), '', `{"kind":"log","line":"epoch 1"}`].join(
    '\n',
  );
  const { run, ...counts } = await send(server, '?run=night%20shift', body);
  t.same(counts, { accepted: 4, ignored: 0, problems: [] });
  t.match(server.store.getRun(run), { name: 'night shift' });
  t.match(await (await server.get(`/api/v1/runs/${run}/batches`)).json(), { items: [{ batch: 1 }, { batch: 2 }] });
  t.match(await (await server.get(`/api/v1/runs/${run}/log`)).json(), { items: [{ line: 'epoch 1', at: null }] });
  t.equal((await send(server, '?run=night%20shift', step(3))).run, run, 'the same name is the same run');
});

t.test('a line that names its own run belongs there', async (t) => {
  const server = await startServer();
  t.teardown(server.close);
  const body = [step(1, { run: 'other' }), step(1), step(2, { run: 'other' })].join('\n');
  const { run } = await send(server, '?run=mine', body);
  t.match(server.store.getRun(run), { name: 'other' }, 'the answer names the run of the first line');
  t.equal(server.store.listSteps(run, { limit: 9 }).items.length, 2);
  const [mine] = server.store.listRuns({ limit: 9, text: 'mine' }).items;
  t.equal(server.store.listSteps(mine?.id ?? '', { limit: 9 }).items.length, 1);
  t.equal((await send(server, '', step(9, { run: 'other' }))).run, run, 'and needs no name in the query');
});

t.test('lines are taken whatever their content is called, with line ends and marks of Windows', async (t) => {
  const server = await startServer();
  t.teardown(server.close);
  for (const type of ['application/x-ndjson', 'application/json', 'text/plain;charset=UTF-8']) {
    const { accepted } = await send(server, '?run=a', `\uFEFF${step(1)}\r\n${step(2)}\r\n`, { 'content-type': type });
    t.equal(accepted, 2, type);
  }
  const refused = await post(server, '?run=a', step(1), { 'content-type': 'application/xml' });
  t.equal(refused.status, 415);
  t.match(await refused.json(), { detail: /"application\/xml" is not one of application\/x-ndjson/ });
});

t.test('a bad line costs nothing but itself, and is named with its number', async (t) => {
  const server = await startServer();
  t.teardown(server.close);
  const bad = Array.from({ length: 12 }, () => '{"kind":');
  const body = ['', step(1), ...bad, '{"kind":"gpu","gpu":0}', step(2, { run: '' }), step(3)].join('\n');
  const { accepted, ignored, problems } = await send(server, '?run=a', body);
  t.equal(accepted, 2);
  t.equal(ignored, 14);
  t.same(
    problems.map(({ line }) => line),
    [3, 4, 5, 6, 7, 8, 9, 10, 11, 12],
  );
  t.match(problems[0]?.problem, /not a JSON object/);
  const long = await send(server, '?run=a', `${step(1, { note: 'x'.repeat(300_000) })}\n${step(2)}`);
  t.match(long, { accepted: 1, problems: [{ line: 1, problem: /300\d+ characters, expected at most 262144/ }] });
});

t.test('a body of which nothing can be taken is a 400 that says why', async (t) => {
  const server = await startServer();
  t.teardown(server.close);
  for (const [query, body, detail] of [
    ['?run=a', 'not json\n{}', /none of the 2 lines could be taken; line 1: .*not json/],
    ['?run=a', '{"kind":"gpu"}', /line 1: kind: "gpu" is not one of start, batch/],
    ['?run=a', '\n\n', /no lines; expected one JSON object a line/],
    ['', step(1), /line 1: run: .*\?run=NAME/],
    ['', step(1, { run: 'a\u0000b' }), /line 1: run: "a\\u0000b" is not 1 to 200 characters/],
  ] as const) {
    const answer = await post(server, query, body);
    t.equal(answer.status, 400, body);
    t.match(answer.headers.get('content-type'), 'application/problem+json');
    t.match(await answer.json(), { status: 400, detail });
  }
  t.equal((await post(server, '?run=a', '')).status, 400, 'nothing at all');
  t.same(server.store.listRuns({ limit: 9 }).items, []);
});

t.test('a name that is too long or holds control characters is refused, as is a parameter that is none', async (t) => {
  const server = await startServer();
  t.teardown(server.close);
  for (const [query, parameter] of [
    ['?run=', 'run'],
    [`?run=${'x'.repeat(201)}`, 'run'],
    ['?run=a%0Ab', 'run'],
    ['?name=a', 'name'],
  ] as const) {
    const answer = await post(server, query, step(1));
    t.equal(answer.status, 400, query);
    t.match(await answer.json(), { parameter });
  }
  t.equal((await post(server, `?run=${'x'.repeat(200)}`, step(1))).status, 200);
});

t.test('a body over 1 MiB is a 413, and without the token nothing is taken', async (t) => {
  const server = await startServer({ access: { token: 'c2VjcmV0', hosts: [], origins: [] } });
  t.teardown(server.close);
  const key = { ...NDJSON, authorization: 'Bearer c2VjcmV0' };
  t.equal((await post(server, '?run=a', 'x'.repeat(1024 * 1024 + 1), key)).status, 413);
  t.equal((await post(server, '?run=a', step(1))).status, 401);
  t.equal((await post(server, '?run=a', step(1), { ...key, origin: 'https://evil.example' })).status, 403);
  t.same(server.store.listRuns({ limit: 9 }).items, []);
  t.equal((await post(server, '?run=a', step(1), key)).status, 200);
});

t.test('a long body comes in whole and in order, and others have their turn meanwhile', async (t) => {
  const server = await startServer();
  t.teardown(server.close);
  const many = Array.from({ length: 20_000 }, (_, i) => `{"kind":"log","line":"line ${i}"}`);
  let turns = 0;
  let isDone = false;
  const countTurns = () => {
    turns++;
    if (!isDone) setImmediate(countTurns);
  };
  const sent = send(server, '?run=long', many.join('\n'));
  setImmediate(countTurns);
  const { run, accepted } = await sent;
  isDone = true;
  t.equal(accepted, 20_000);
  t.ok(turns > 20, `${turns} turns`);
  t.same(lines(server, run).slice(-2), ['line 19998', 'line 19999']);
});

t.test('what the service cannot store is its fault, and says so', async (t) => {
  const server = await startServer({
    ingest: () => {
      throw new Error('disk full');
    },
  });
  t.teardown(server.close);
  const answer = await post(server, '?run=a', step(1));
  t.equal(answer.status, 500);
  t.match(await answer.json(), { detail: /its log says why/ });
});
