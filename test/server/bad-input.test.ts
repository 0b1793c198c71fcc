import t from 'tap';
import { T0 } from '../store/open-store.ts';
import { addRun, startServer } from './start-server.ts';

t.test('a query that is not understood is a 400 that names the parameter and what is allowed', async (t) => {
  const server = await startServer();
  t.teardown(server.close);
  const run = addRun(server.store, 'train', 3);
  server.store.saveGpus([{ uuid: 'U0', index: 0, name: 'A100', driver: '550', memoryTotal: 1, powerLimit: 400 }], T0);
  server.store.saveHost({ name: 'trainer', os: null, cpuModel: null, cpuCores: null, memoryTotal: null }, T0);

  for (const [path, parameter, words] of [
    ['/api/v1/runs?sate=running', 'sate', /state, q, limit, cursor/],
    ['/api/v1/runs?state=sleeping', 'state', /starting, running, stalled/],
    ['/api/v1/runs?state=running,', 'state', /starting, running, stalled/],
    ['/api/v1/runs?limit=0', 'limit', /from 1 to 10000/],
    ['/api/v1/runs?limit=10001', 'limit', /from 1 to 10000/],
    ['/api/v1/runs?limit=ten', 'limit', /"ten".*from 1 to 10000/],
    ['/api/v1/runs?limit=', 'limit', /from 1 to 10000/],
    ['/api/v1/runs?limit=1&limit=2', 'limit', /from 1 to 10000/],
    ['/api/v1/runs?cursor=nonsense', 'cursor', /nonsense/],
    [`/api/v1/runs/${run}?verbose=1`, 'verbose', /takes none/],
    [`/api/v1/runs/${run}/epochs?from=-1`, 'from', /from 0 to/],
    [`/api/v1/runs/${run}/epochs?to=1.5`, 'to', /integer/],
    [`/api/v1/runs/${run}/epochs?attempt=first`, 'attempt', /integer/],
    [`/api/v1/runs/${run}/attempts?limit=5`, 'limit', /takes none/],
    [`/api/v1/runs/${run}/batches?agg=p95`, 'agg', /takes from, to, step, points, limit, cursor/],
    [`/api/v1/runs/${run}/batches?points=0`, 'points', /from 1 to 10000/],
    [`/api/v1/runs/${run}/batches?from=soon`, 'from', /ISO 8601/],
    [`/api/v1/runs/${run}/batches?cursor=nonsense`, 'cursor', /nonsense/],
    [`/api/v1/runs/${run}/classes?limit=0`, 'limit', /from 1 to 10000/],
    [`/api/v1/runs/${run}/log?tail=501`, 'tail', /from 1 to 500/],
    ['/api/v1/gpus?limit=5', 'limit', /takes none/],
    ['/api/v1/gpus/0/history?metrics=heat', 'metrics', /utilization, utilizationMin/],
    ['/api/v1/gpus/0/history?metrics=', 'metrics', /utilization, utilizationMin/],
    ['/api/v1/gpus/0/history?agg=p99', 'agg', /avg, min, max, count/],
    ['/api/v1/gpus/0/history?agg=rate&metrics=power', 'agg', /it for energy/],
    ['/api/v1/gpus/0/history?tz=Mars/Olympus', 'tz', /IANA name/],
    ['/api/v1/gpus/0/history?step=0s', 'step', /500ms, 1s, 60s, 5m, 1h or 1d/],
    ['/api/v1/gpus/0/history?step=fast', 'step', /500ms, 1s, 60s, 5m, 1h or 1d/],
    ['/api/v1/gpus/0/history?step=1s&points=10', 'points', /either step or points/],
    ['/api/v1/gpus/0/history?points=10001', 'points', /from 1 to 10000/],
    [`/api/v1/gpus/0/history?from=0&to=${T0}&step=1s`, 'step', /1757427471 points; at most 10000/],
    ['/api/v1/gpus/0/history?from=yesterday', 'from', /ISO 8601/],
    ['/api/v1/gpus/0/history?from=2025-02-30T99:00:00Z', 'from', /ISO 8601/],
    ['/api/v1/gpus/0/history?from=99999999999999999', 'from', /ISO 8601/],
    ['/api/v1/gpus/0/history?from=2000&to=1000', 'from', /before/],
    ['/api/v1/hosts/trainer/history?metrics=utilization', 'metrics', /cpu, cpuMaxCore/],
    ['/api/v1/alerts?state=open', 'state', /pending, firing, resolved/],
    ['/api/v1/alerts?severity=fatal', 'severity', /info, warning, critical/],
    ['/api/v1/alerts?from=now', 'from', /ISO 8601/],
    ['/api/v1/alerts?to=-1', 'to', /ISO 8601/],
    ['/api/v1/collectors?limit=0', 'limit', /from 1 to 10000/],
    ['/api/v1/collectors?cursor=nonsense', 'cursor', /nonsense/],
    ['/api/v1/collectors/runs/history?metrics=cpu', 'metrics', /age, duration, misses, failures/],
    ['/api/v1/rules?id=x', 'id', /takes none/],
    ['/api/v1/service?x=1', 'x', /takes none/],
    ['/readyz?verbose', 'verbose', /takes none/],
  ] as const) {
    const answer = await server.get(path);
    t.equal(answer.status, 400, path);
    t.match(answer.headers.get('content-type'), 'application/problem+json');
    t.match(await answer.json(), { title: 'Bad Request', status: 400, parameter, detail: words }, path);
  }
});

t.test('what does not exist is a 404 that names it', async (t) => {
  const server = await startServer();
  t.teardown(server.close);
  for (const [path, words] of [
    ['/api/v1/runs/r_nothing', /run "r_nothing"/],
    ['/api/v1/runs/r_nothing/epochs', /run "r_nothing"/],
    ['/api/v1/runs/r_nothing/attempts', /run "r_nothing"/],
    ['/api/v1/runs/r_nothing/batches', /run "r_nothing"/],
    ['/api/v1/runs/r_nothing/classes', /run "r_nothing"/],
    ['/api/v1/runs/r_nothing/log', /run "r_nothing"/],
    ['/api/v1/gpus/7/history', /GPU "7"/],
    ['/api/v1/hosts/other/history', /host "other"/],
    ['/api/v1/alerts/a_nothing', /alert "a_nothing"/],
    ['/api/v1/nothing', /nothing at GET/],
    ['/api/v2/runs', /nothing at GET/],
    ['/nothing', /nothing at GET/],
  ] as const) {
    const answer = await server.get(path);
    t.equal(answer.status, 404, path);
    t.match(await answer.json(), { title: 'Not Found', status: 404, detail: words }, path);
  }
});

t.test('a body over 1 MiB is a 413, one that is no JSON a 400, and a broken address a 400', async (t) => {
  const server = await startServer();
  t.teardown(server.close);
  const post = (body: string) =>
    fetch(`${server.url}/api/v1/runs`, { method: 'POST', body, headers: { 'content-type': 'application/json' } });
  const big = await post(JSON.stringify('x'.repeat(1024 * 1024)));
  t.equal(big.status, 413);
  t.match(await big.json(), { status: 413, detail: /1 MiB/ });
  t.match(await (await post('{')).json(), { status: 400, detail: /JSON/ });
  t.match(await (await post('{}')).json(), { status: 404, detail: /POST/ });
  t.match(await (await fetch(`${server.url}/api/v1/runs/%zz`)).json(), { status: 400 });
});
