// `node bench/peers/run.ts`: the same data in Prometheus, VictoriaMetrics and Signalbox, the same questions to each over
// HTTP on loopback, in turns. Prints a table in Markdown, then a JSON line a figure. Takes some minutes and 3 GB of
// temporary disk. Run `npm run build:server` before.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { percentile } from '../figures.ts';
import { POINTS } from '../history-data.ts';
import { QUESTIONS, type Question } from '../history-questions.ts';
import { timedAnswers } from '../timed-answers.ts';
import { difference } from './answers.ts';
import type { Peer } from './peer.ts';
import { findProgram, MissingProgram } from './program.ts';
import { startPrometheus } from './prometheus.ts';
import { startSignalbox } from './signalbox.ts';
import { startVictoriaMetrics } from './victoria-metrics.ts';

const WARM_UP_ROUNDS = 5;
const ROUNDS = 30;
const STARTS = { prometheus: startPrometheus, 'victoria-metrics': startVictoriaMetrics, signalbox: startSignalbox };

type Row = {
  readonly figure: string;
  readonly what: string;
  readonly unit: string;
  readonly values: readonly number[];
};

const main = async (): Promise<void> => {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-peers-'));
  const peers: Peer[] = [];
  try {
    for (const [name, start] of Object.entries(STARTS)) {
      console.error(`${name} takes the data in …`);
      mkdirSync(join(folder, name));
      peers.push(await start(join(folder, name)));
    }
    const rows = await compare(peers);
    printTable(peers, rows);
    printFigures(peers, rows);
  } finally {
    for (const peer of peers) await peer.stop();
    rmSync(folder, { recursive: true });
  }
};

const compare = async (peers: readonly Peer[]): Promise<readonly Row[]> => {
  const unit = 'bytes a point';
  const rows: Row[] = [
    {
      ...{ figure: 'bytes', what: 'bytes a point on disk, the day of 8 GPUs', unit },
      values: peers.map(({ bytes }) => bytes / POINTS),
    },
    {
      ...{ figure: 'bytes_filled', what: 'the same without what is kept free for the next samples', unit },
      values: peers.map(({ bytes, freeBytes }) => (bytes - freeBytes) / POINTS),
    },
  ];
  for (const question of QUESTIONS) {
    await requireSameAnswers(peers, question);
    const { name: figure, what } = question;
    rows.push({ figure, what, unit: 'ms', values: await medians(peers, question) });
  }
  return rows;
};

/** Ends the run when two systems do not say the same: their times would be of different things. */
const requireSameAnswers = async (peers: readonly Peer[], question: Question): Promise<void> => {
  const answers = await Promise.all(
    peers.map(async (peer) => peer.read(question, (await timedAnswers(peer.urls(question))).bodies)),
  );
  const [first, ...others] = answers;
  for (const [i, other] of others.entries()) {
    const unlike = first && difference(first, other);
    if (unlike) throw new Error(`${question.name}: ${peers[i + 1]?.name} differs from ${peers[0]?.name}: ${unlike}`);
  }
};

/** In turns, so that a busy minute of the machine hits all of them; the median of each, ms. */
const medians = async (peers: readonly Peer[], question: Question): Promise<readonly number[]> => {
  const times = peers.map((): number[] => []);
  for (let round = -WARM_UP_ROUNDS; round < ROUNDS; round++) {
    for (const [i, peer] of peers.entries()) {
      const { ms } = await timedAnswers(peer.urls(question));
      if (round >= 0) times[i]?.push(ms);
    }
  }
  return times.map((ofPeer) => percentile(ofPeer, 0.5));
};

const printTable = (peers: readonly Peer[], rows: readonly Row[]): void => {
  const cells = [
    ['figure', 'what it is', ...peers.map(({ name }) => name)],
    ['---', '---', ...peers.map(() => '---:')],
    ...rows.map(({ figure, what, values, unit }) => [
      `\`${figure}\``,
      what,
      ...values.map((value) => `${Number(value.toPrecision(3))}${unit === 'ms' ? ' ms' : ''}`),
    ]),
  ];
  for (const line of cells) console.log(`| ${line.join(' | ')} |`);
};

const printFigures = (peers: readonly Peer[], rows: readonly Row[]): void => {
  for (const { figure, values, unit } of rows) {
    for (const [i, value] of values.entries()) {
      const of = peers[i]?.name;
      console.log(JSON.stringify({ bench: 'peers', of, figure, value: Number(value.toPrecision(4)), unit }));
    }
  }
};

try {
  // Asked before anything is made: the data alone takes minutes.
  findProgram('promtool', 'prometheus');
  findProgram('victoria-metrics', 'victoria-metrics');
  await main();
} catch (error) {
  if (!(error instanceof MissingProgram)) throw error;
  console.error(`bench/peers: ${error.message}`);
  process.exitCode = 2;
}
