import { once } from 'node:events';
import { request } from 'node:http';
import t from 'tap';
import { WebSocket } from 'ws';
import { startServer, type TestServer } from './start-server.ts';
import { connect } from './stream-client.ts';

/** GET with headers that fetch does not let a caller set; answers status and body. */
const ask = async (server: TestServer, path: string, headers: Record<string, string>) => {
  const sent = request(server.url + path, { headers }).end();
  const [answer] = await once(sent, 'response');
  let body = '';
  for await (const chunk of answer) body += chunk;
  return { status: answer.statusCode, type: answer.headers['content-type'], body };
};

/** The status with which an upgrade to WebSocket is refused. */
const refusal = async (server: TestServer, headers: Record<string, string>, protocols: string[] = []) => {
  const ws = new WebSocket(`${server.url.replace('http', 'ws')}/api/v1/stream`, protocols, { headers });
  ws.on('error', () => {});
  const [, answer] = await once(ws, 'unexpected-response');
  answer.resume();
  return answer.statusCode;
};

const TOKEN = 'c2VjcmV0LXRva2Vu';

t.test('a page whose name was rebound to this machine gets nothing', async (t) => {
  const server = await startServer({ access: { token: null, hosts: ['box.example'], origins: [] } });
  t.teardown(server.close);
  const port = new URL(server.url).port;
  for (const host of [`127.0.0.1:${port}`, 'localhost:1', '[::1]:9', 'TRAINER', 'trainer:80', 'box.example:4747']) {
    t.equal((await ask(server, '/api/v1/runs', { host })).status, 200, host);
  }
  for (const host of [
    'evil.example',
    '127.0.0.1.evil.example',
    'localhost.evil.example:80',
    '10.9.8.7',
    'box.example.evil',
  ]) {
    const { status, type, body } = await ask(server, '/api/v1/runs', { host });
    t.equal(status, 403, host);
    t.match(type, 'application/problem+json');
    t.match(JSON.parse(body), { status: 403, detail: /not a name of this service/ });
    t.equal(await refusal(server, { host }), 403, `${host}, WebSocket`);
    t.equal((await ask(server, '/', { host })).status, 403, `${host}, page`);
  }
});

t.test('a page of another site cannot read or listen, unless it is listed', async (t) => {
  const server = await startServer({ access: { token: null, hosts: [], origins: ['https://dash.example'] } });
  t.teardown(server.close);
  for (const origin of [server.url, 'https://dash.example', 'http://localhost:1', 'http://[::1]:5173']) {
    t.equal((await server.get('/api/v1/runs', { origin })).status, 200, origin);
    const client = await connect(server.url, { headers: { origin } });
    t.match(await client.next(), { op: 'welcome' }, origin);
  }
  for (const origin of [
    'https://evil.example',
    'null',
    'http://localhost.evil:1',
    'https://dash.example.evil',
    'file://',
  ]) {
    t.equal((await server.get('/api/v1/runs', { origin })).status, 403, origin);
    t.equal(await refusal(server, { origin }), 403, `${origin}, WebSocket`);
  }
});

t.test('with a token set, nothing that holds data is answered without it', async (t) => {
  const server = await startServer({ access: { token: TOKEN, hosts: [], origins: [] } });
  t.teardown(server.close);
  const authorization = `Bearer ${TOKEN}`;
  for (const path of ['/api/v1/runs', '/api/v1/nothing', '/readyz', '/openapi.json']) {
    for (const headers of [{}, { authorization: 'Bearer wrong' }, { authorization: `Basic ${TOKEN}` }]) {
      const answer = await fetch(server.url + path, { headers });
      t.equal(answer.status, 401, `${path} ${JSON.stringify(headers)}`);
      t.equal(answer.headers.get('www-authenticate'), 'Bearer');
      t.match(await answer.json(), { title: 'Unauthorized', detail: /token/ });
    }
  }
  t.equal((await server.get('/api/v1/runs', { authorization })).status, 200);
  t.equal((await server.get('/readyz', { authorization })).status, 200);
  t.equal((await fetch(`${server.url}/api/v1/runs?token=${TOKEN}`)).status, 401, 'a token has no place in an address');
});

t.test('with a token set, health and the page need none', async (t) => {
  const server = await startServer({ access: { token: TOKEN, hosts: [], origins: [] } });
  t.teardown(server.close);
  t.equal((await fetch(`${server.url}/healthz`)).status, 200);
  t.equal((await fetch(server.url)).status, 200);
});

t.test('the stream takes the token as a header or, from a browser, as a subprotocol', async (t) => {
  const server = await startServer({ access: { token: TOKEN, hosts: [], origins: [] } });
  t.teardown(server.close);
  const byHeader = await connect(server.url, { headers: { authorization: `Bearer ${TOKEN}` } });
  t.match(await byHeader.next(), { op: 'welcome' });
  const byProtocol = await connect(server.url, { protocols: ['signalbox.v1', `bearer.${TOKEN}`] });
  t.match(await byProtocol.next(), { op: 'welcome' });
  t.equal(byProtocol.ws.protocol, 'signalbox.v1', 'the token is not sent back');
  t.equal(await refusal(server, {}), 401);
  t.equal(await refusal(server, { authorization: 'Bearer wrong' }), 401);
  t.equal(await refusal(server, {}, ['signalbox.v1', 'bearer.wrong']), 401);
});

t.test('every answer tells a browser to keep it to this site', async (t) => {
  const server = await startServer();
  t.teardown(server.close);
  for (const path of ['/', '/api/v1/runs', '/nothing']) {
    const { headers } = await fetch(server.url + path);
    t.match(headers.get('content-security-policy'), /frame-ancestors 'none'/, path);
    t.notMatch(headers.get('content-security-policy'), /unsafe|upgrade-insecure/, path);
    t.equal(headers.get('x-content-type-options'), 'nosniff', path);
    t.equal(headers.get('strict-transport-security'), null, path);
    t.equal(headers.get('access-control-allow-origin'), null, path);
  }
});
