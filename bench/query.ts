import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { percentile, type Report } from './figures.ts';
import { LARGEST, QUESTIONS } from './history-questions.ts';
import { startHistoryService } from './history-service.ts';
import { signalboxUrls } from './signalbox-questions.ts';
import { timedAnswers } from './timed-answers.ts';

const WARM_UP_ROUNDS = 10;
const ROUNDS = 50;
const IDLE_S = 5;

/**
 * The questions to a started product over HTTP: when the last byte of the answer is there, median of many rounds, and of
 * the very first; and the longest time that its event loop stood still meanwhile, which the machine's other work is in:
 * `block_idle` is the same while nobody asks.
 */
export const measure = async (report: Report): Promise<void> => {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-bench-'));
  const service = await startHistoryService(folder);
  await sleep(1000);
  await service.longestPause();
  await sleep(IDLE_S * 1000);
  report('block_idle', await service.longestPause(), 'ms');

  let block = 0;
  for (const question of QUESTIONS) {
    const urls = signalboxUrls(service.url, question);
    report(`${question.name}_first`, (await timedAnswers(urls)).ms, 'ms');
    for (let round = 0; round < WARM_UP_ROUNDS; round++) await timedAnswers(urls);
    const times: number[] = [];
    for (let round = 0; round < ROUNDS; round++) times.push((await timedAnswers(urls)).ms);
    report(question.name, percentile(times, 0.5), 'ms');
    block = Math.max(block, await service.longestPause());
  }
  report('block', block, 'ms');

  const urls = signalboxUrls(service.url, LARGEST);
  report('largest', (await timedAnswers(urls)).ms, 'ms');
  report('block_largest', await service.longestPause(), 'ms');
  await service.stop();
  rmSync(folder, { recursive: true });
};
