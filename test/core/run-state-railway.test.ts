import { existsSync, readFileSync } from 'node:fs';
import t from 'tap';
import type { SaidEnding } from '../../src/core/output-facts.ts';
import type { EpochRow } from '../../src/core/run.ts';
import { judgeState } from '../../src/core/run-state.ts';
import { factsOf, logThatEnds, T0 } from './state-facts.ts';

const ROOT = 'test/fixtures/railway';

type Session = { run: string; state: string; epochs: number; reason?: string };

const sessions = (): readonly Session[] => {
  // The fixture is our own file; a wrong shape fails the assertions below.
  const { sessions } = JSON.parse(readFileSync(`${ROOT}/expected.json`, 'utf8')) as { sessions: Session[] };
  return sessions;
};

const linesOf = (file: string): readonly string[] =>
  existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n') : [];

const rowsIn = (folder: string): EpochRow[] => {
  const [header = '', ...lines] = linesOf(`${folder}/results.csv`);
  const names = header.split(',');
  return lines.map((line): EpochRow => {
    const [epoch = 0, elapsedS = 0, ...values] = line.split(',').map(Number);
    return {
      attempt: 1,
      epoch,
      at: T0 + elapsedS * 1000,
      atSource: 'time',
      elapsedS,
      runElapsedS: elapsedS,
      metrics: Object.fromEntries(values.map((value, i) => [names[i + 2] ?? '', value])),
    };
  });
};

/** What a reader of the console takes from each kind of last line; the parser itself has tests of its own. */
const ENDINGS: readonly [RegExp, Pick<SaidEnding, 'state' | 'reason'>][] = [
  [/^EarlyStopping:/, { state: 'early_stopped', reason: 'patience' }],
  [/epochs completed in/, { state: 'finished', reason: 'said_finished' }],
  [/^KeyboardInterrupt/, { state: 'stopped', reason: 'interrupted' }],
  [/DataLoader worker/, { state: 'failed', reason: 'dataloader_worker_died' }],
  [/images not found/, { state: 'failed', reason: 'dataset_missing' }],
  [/OutOfMemoryError/, { state: 'failed', reason: 'cuda_out_of_memory' }],
  [/Error:/, { state: 'failed', reason: 'error_in_log' }],
];

const endingIn = (lines: readonly string[]): SaidEnding | null => {
  for (const [pattern, ending] of ENDINGS) {
    const line = lines.find((text) => pattern.test(text));
    if (line !== undefined) return { ...ending, lines: [line], at: null };
  }
  return null;
};

t.test('each of the nine railway sessions has the state and the reason of the report', async (t) => {
  for (const { run, state, epochs, reason } of sessions()) {
    const folder = `${ROOT}/runs/detect/${run}`;
    const rows = rowsIn(folder);
    const patience = Number(
      linesOf(`${folder}/args.yaml`)
        .find((line) => line.startsWith('patience: '))
        ?.split(': ')[1],
    );
    const ending = endingIn(linesOf(`${folder}/train.log`));
    const endAt = (rows.at(-1)?.at ?? T0) + 5000;
    const verdict = judgeState(
      factsOf({
        rows,
        args: { epochs: 100, patience },
        outputs: ending === null ? [] : [logThatEnds(ending, endAt)],
        watchedSince: null,
        now: endAt + 86_400_000,
      }),
    );
    t.equal(rows.length, epochs, run);
    t.equal(verdict.state, state, run);
    if (reason !== undefined) t.equal(verdict.reason, reason, run);
    if (ending !== null) t.ok(verdict.evidence.includes(`train.log: ${ending.lines[0]}`), 'the line is shown');
  }
});
