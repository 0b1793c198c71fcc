import { request } from 'node:http';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { BEFORE, DAY } from '../history-questions.ts';
import { type Peer, type SeriesHour, seriesOf } from './peer.ts';
import { bytesBelow, findProgram, startServer } from './program.ts';
import { type Dialect, peerName, promqlUrls, readMatrices } from './promql.ts';

const PACKAGE = 'victoria-metrics';
/** Without its cache of whole answers: neither of the others has one. */
const DIALECT: Dialect = { hasBothEnds: false, parameters: { nocache: '1' } };
/** Merges that begin one after the other have shorter pauses. */
const QUIET_S = 3;

/**
 * VictoriaMetrics with the data in `folder`, taken in by its import of JSON lines and merged as far as it will. Its size
 * is that of the samples and their index.
 */
export const startVictoriaMetrics = async (folder: string): Promise<Peer> => {
  const server = await startServer(findProgram('victoria-metrics', PACKAGE), {
    args: (address) => [
      ...[`-storageDataPath=${folder}`, '-retentionPeriod=100y', `-httpListenAddr=${address}`, '-loggerLevel=WARN'],
    ],
    readyPath: '/health',
  });
  await importLines(server.url, seriesOf(DAY));
  await settle(server.url);
  const bytes = bytesBelow(join(folder, 'data')) + bytesBelow(join(folder, 'indexdb'));
  await importLines(server.url, seriesOf([BEFORE]));
  await settle(server.url);
  return {
    ...{ name: 'VictoriaMetrics', bytes, freeBytes: 0, stop: server.stop, read: readMatrices },
    urls: (question) => promqlUrls(server.url, DIALECT, question),
  };
};

const importLines = async (url: string, hours: Iterable<SeriesHour>): Promise<void> => {
  const post = request(`${url}/api/v1/import`, { method: 'POST' });
  const answered = new Promise<void>((resolve, reject) => {
    post.on('error', reject);
    post.on('response', (response) => {
      response.resume();
      if (response.statusCode === 204) resolve();
      else reject(new Error(`the import answered ${response.statusCode}`));
    });
  });
  await Promise.all([pipeline(Readable.from(linesOf(hours)), post), answered]);
};

function* linesOf(hours: Iterable<SeriesHour>): Generator<string> {
  for (const { gpu, metric, at, values } of hours) {
    const labels = JSON.stringify({ __name__: peerName(metric), gpu: String(gpu) });
    yield `{"metric":${labels},"values":[${values.join(',')}],"timestamps":[${at.join(',')}]}\n`;
  }
}

/** Resolves when all that was imported is on the disk, and no merge was under way for a while. */
const settle = async (url: string): Promise<void> => {
  for (const path of ['/internal/force_flush', '/internal/force_merge']) {
    const { ok, status } = await fetch(`${url}${path}`);
    if (!ok) throw new Error(`${path} answered ${status}`);
  }
  for (let quietS = 0; quietS < QUIET_S; ) {
    await sleep(1000);
    const metrics = await (await fetch(`${url}/metrics`)).text();
    const active = [...metrics.matchAll(/^vm_active_merges\{.*?\} (\d+)/gm)].map(([, count]) => Number(count));
    if (active.length === 0) throw new Error('/metrics: expected vm_active_merges');
    quietS = active.some((count) => count > 0) ? 0 : quietS + 1;
  }
};
