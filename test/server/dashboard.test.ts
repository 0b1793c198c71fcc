import t from 'tap';
import { startServer } from './start-server.ts';

const PAGE = { accept: 'text/html,application/xhtml+xml' };

t.test('the page is served at every path that a browser may navigate to', async (t) => {
  const webRoot = t.testdir({
    'index.html': '<!doctype html><title>Signalbox</title>',
    'icon.svg': '<svg xmlns="http://www.w3.org/2000/svg"/>',
    assets: { 'index-B4x9.js': 'export {};' },
  });
  const server = await startServer({ webRoot });
  t.teardown(server.close);
  for (const path of ['/', '/runs/r_1', '/gpus?tab=memory', '/a/b/c']) {
    const answer = await fetch(server.url + path, { headers: PAGE });
    t.equal(answer.status, 200, path);
    t.match(answer.headers.get('content-type'), /^text\/html/, path);
    t.equal(answer.headers.get('cache-control'), 'no-cache', path);
    t.match(await answer.text(), /<title>Signalbox/, path);
  }
  const script = await fetch(`${server.url}/assets/index-B4x9.js`);
  t.match(script.headers.get('content-type'), /javascript/);
  t.equal(script.headers.get('cache-control'), 'public, max-age=31536000, immutable');
  t.match((await fetch(`${server.url}/icon.svg`)).headers.get('content-type'), 'image/svg+xml');
});

t.test('what is no page and no file is a 404, not the page', async (t) => {
  const webRoot = t.testdir({ web: { 'index.html': '<!doctype html>' }, 'secret.txt': 'secret' });
  const server = await startServer({ webRoot: `${webRoot}/web` });
  t.teardown(server.close);
  for (const path of ['/api/v1/nothing', '/api/nothing']) {
    t.equal((await fetch(server.url + path, { headers: PAGE })).status, 404, path);
  }
  for (const path of ['/assets/old-hash.js', '/..%2fsecret.txt', '/%2e%2e/secret.txt', '/web']) {
    const answer = await fetch(server.url + path);
    t.equal(answer.status, 404, path);
    t.match(answer.headers.get('content-type'), 'application/problem+json');
  }
});

t.test('without a built page the service says how to build it', async (t) => {
  for (const webRoot of [null, t.testdir({})]) {
    const server = await startServer({ webRoot });
    t.teardown(server.close);
    const answer = await fetch(server.url);
    t.match(answer.headers.get('content-type'), /^text\/plain/);
    t.match(await answer.text(), /npm run build/);
  }
});
