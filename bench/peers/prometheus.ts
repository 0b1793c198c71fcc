import { once } from 'node:events';
import { createWriteStream, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { BEFORE, DAY } from '../history-questions.ts';
import { type Peer, type SeriesHour, seriesOf } from './peer.ts';
import { bytesBelow, findProgram, runProgram, startServer } from './program.ts';
import { type Dialect, peerName, promqlUrls, readMatrices } from './promql.ts';

const PACKAGE = 'prometheus';
const DIALECT: Dialect = { hasBothEnds: true, parameters: {} };

/**
 * Prometheus with the data in blocks of 18 h, the size to which it merges them itself in the end, written by its own
 * promtool into `folder`. It scrapes nothing. Its size is that of the blocks.
 */
export const startPrometheus = async (folder: string): Promise<Peer> => {
  const program = findProgram('prometheus', PACKAGE);
  const promtool = findProgram('promtool', PACKAGE);
  const data = join(folder, 'data');
  mkdirSync(data, { recursive: true });
  const backfill = async (hours: Iterable<SeriesHour>): Promise<void> => {
    const text = join(folder, 'samples.txt');
    await writeOpenMetrics(text, hours);
    const options = ['--max-block-duration=18h', '--quiet'];
    await runProgram(promtool, ['tsdb', 'create-blocks-from', 'openmetrics', ...options, text, data]);
    rmSync(text);
  };
  await backfill(seriesOf(DAY));
  const bytes = bytesBelow(data);
  await backfill(seriesOf([BEFORE]));

  const config = join(folder, 'prometheus.yml');
  writeFileSync(config, 'scrape_configs: []\n');
  const server = await startServer(program, {
    args: (address) => [
      ...[`--config.file=${config}`, `--storage.tsdb.path=${data}`, '--storage.tsdb.retention.time=10y'],
      ...[`--web.listen-address=${address}`, '--log.level=warn'],
    ],
    readyPath: '/-/ready',
  });
  return {
    ...{ name: 'Prometheus', bytes, freeBytes: 0, stop: server.stop, read: readMatrices },
    urls: (question) => promqlUrls(server.url, DIALECT, question),
  };
};

/** A line a sample: half a gigabyte for a day, so never whole in memory. */
const writeOpenMetrics = async (path: string, hours: Iterable<SeriesHour>): Promise<void> => {
  const file = createWriteStream(path);
  for (const { gpu, metric, at, values } of hours) {
    const series = `${peerName(metric)}{gpu="${gpu}"}`;
    const lines = Array.from(values, (value, i) => `${series} ${value} ${(at[i] ?? 0) / 1000}\n`);
    if (!file.write(lines.join(''))) await once(file, 'drain');
  }
  file.end('# EOF\n');
  await finished(file);
};
