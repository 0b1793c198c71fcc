import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import t, { type Test } from 'tap';
import { observed } from '../store/observed.ts';
import { T0 } from '../store/open-store.ts';
import { startServer, type TestServer } from './start-server.ts';
import { connect } from './stream-client.ts';

/** Far more than the kernel's buffers take of an answer that nobody reads. */
const LONG = 32 * 1024 * 1024;

const dial = async (t: Test, { url }: TestServer): Promise<Socket> => {
  const socket = connectTcp(Number(new URL(url).port), '127.0.0.1');
  t.teardown(() => socket.destroy());
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
};

/** Asks for a long answer and reads none of it but its beginning. */
const ask = async (t: Test, server: TestServer) => {
  const { id } = server.store.observeRun(observed(), 'trainer', T0);
  const run = server.store.getRun(id);
  if (run) server.store.saveRun({ ...run, args: { note: 'x'.repeat(LONG) } });
  const socket = await dial(t, server);
  socket.write(`GET /api/v1/runs/${id} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`);
  await once(socket, 'readable');
  return socket;
};

t.test('clients that asked for nothing, or not yet for something, do not hold up the stop', async (t) => {
  const server = await startServer();
  const clients = [await dial(t, server), await dial(t, server), await dial(t, server)];
  clients[1]?.write('GET /healthz HTTP/1.1\r\nHost: 127');
  // A connection that is kept alive after its answer.
  clients[2]?.write('GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n');
  if (clients[2]) await once(clients[2], 'data');
  const gone = Promise.all(clients.map((client) => once(client.resume(), 'close')));
  const stopAt = performance.now();
  await server.close();
  t.ok(performance.now() - stopAt < 500, `${performance.now() - stopAt} ms`);
  await gone;
});

t.test('an answer on its way is finished before the stop', async (t) => {
  const server = await startServer();
  const client = await ask(t, server);
  const closing = server.close();
  let bytes = 0;
  client.on('data', (data) => {
    bytes += data.length;
  });
  await closing;
  await once(client, 'close');
  t.ok(bytes > LONG, `${bytes} bytes came`);
});

t.test('neither who never reads the answer nor who never reads the stream holds up the stop for long', async (t) => {
  const server = await startServer();
  await ask(t, server);
  const { ws } = await connect(server.url);
  ws.pause();
  const stopAt = performance.now();
  await server.close();
  t.ok(performance.now() - stopAt < 3000, `${performance.now() - stopAt} ms`);
  ws.terminate();
});

t.test('while it stops, a request that comes late is refused', async (t) => {
  const server = await startServer();
  const slow = await ask(t, server);
  const closing = server.close();
  const answer = await fetch(`${server.url}/healthz`);
  t.equal(answer.status, 503);
  slow.destroy();
  await closing;
});
