import type { KnownOutput, SaidEnding } from './output-facts.ts';
import { isAfter, momentInWords, rowsAreHistory, type StateFacts, type StateVerdict } from './run-facts.ts';
import { stoppedEarlyAfter } from './run-progress.ts';
import { isReasonOf, type RunReason } from './run-reasons.ts';

/**
 * The end of a run by its rows and by its own words; null: neither tells of one. That all epochs are done is beyond
 * doubt. An EarlyStopping line is believed before a replay, which knows only the fitness of common versions; other
 * words only tell why a run ended that its rows do not show to be complete.
 */
export const endedByWriting = (facts: StateFacts): StateVerdict | null => {
  const words = wordsOf(facts);
  const said = words[0]?.verdict ?? null;
  const verdict = allEpochsDone(facts) ?? (said?.state === 'early_stopped' ? said : null) ?? endedByRows(facts) ?? said;
  if (verdict === null) return null;
  // Where rows and words both say that it stopped early, both are evidence.
  const replay = verdict.state === 'early_stopped' ? replayOf(facts) : null;
  const first = replay === null ? verdict.evidence : [replay];
  const evidence = new Set([...first, ...words.flatMap(({ verdict }) => verdict.evidence)]);
  return { ...verdict, evidence: [...evidence].slice(0, MAX_EVIDENCE) };
};

const MAX_EVIDENCE = 8;

const allEpochsDone = (facts: StateFacts): StateVerdict | null => {
  const { epochsDone, epochsPlanned } = facts;
  if (facts.progress.last === null || epochsPlanned === null || epochsDone < epochsPlanned) return null;
  if (rowsAreHistory(facts)) return null;
  const fact = `epoch ${epochsDone} of ${epochsPlanned} is in the result file`;
  return { state: 'finished', reason: 'all_epochs_done', evidence: [fact] };
};

const endedByRows = (facts: StateFacts): StateVerdict | null => {
  const { progress, args, resultsPngAt, argsAt } = facts;
  const { last } = progress;
  if (last === null || rowsAreHistory(facts)) return null;
  const budgetH = args?.time;
  if (typeof budgetH === 'number' && budgetH > 0 && (last.elapsedS ?? 0) >= budgetH * 3600) {
    const fact = `the time budget of ${budgetH} h is used up at epoch ${last.epoch}`;
    return { state: 'finished', reason: 'time_budget', evidence: [fact] };
  }
  const replay = replayOf(facts);
  if (replay !== null) return { state: 'early_stopped', reason: 'patience', evidence: [replay] };
  if (resultsPngAt !== null && last.at !== null && resultsPngAt > last.at && !isAfter(argsAt, resultsPngAt)) {
    const fact = `results.png, which is written last, was written at ${momentInWords(resultsPngAt)}, after the last row`;
    return { state: 'finished', reason: 'final_plots_written', evidence: [fact] };
  }
  return null;
};

/** The replay of EarlyStopping in words, when it stops at the last row. */
const replayOf = (facts: StateFacts): string | null => {
  const { progress, args } = facts;
  const patience = args?.patience;
  const bestEpoch = typeof patience === 'number' ? stoppedEarlyAfter(progress, patience) : null;
  return bestEpoch === null || progress.last === null || rowsAreHistory(facts)
    ? null
    : `no better epoch than ${bestEpoch} in the ${patience} epochs (patience) up to epoch ${progress.last.epoch}`;
};

/** An end in a run's own words. */
type Words = { readonly verdict: StateVerdict & { readonly reason: RunReason }; readonly specific: boolean };

/** What the outputs say of the end, unless the run went on after it; the words that explain most come first. */
const wordsOf = (facts: StateFacts): readonly Words[] =>
  facts.outputs
    .flatMap((output) => {
      const { ending } = output.facts;
      return ending === null || wentOn(facts, output, ending) ? [] : wordsFrom(output, ending);
    })
    .sort((a, b) => BELIEF.indexOf(a.verdict.state) - BELIEF.indexOf(b.verdict.state) || +b.specific - +a.specific);

/**
 * Where outputs differ: a script may fail after its training has finished, and Ctrl-C may end in a traceback, but a
 * training that failed says nothing of the others.
 */
const BELIEF: readonly StateVerdict['state'][] = ['early_stopped', 'finished', 'stopped', 'failed'];

const GENERAL_REASONS = {
  finished: 'said_finished',
  early_stopped: 'patience',
  stopped: 'interrupted',
  failed: 'error_in_log',
} as const satisfies Record<SaidEnding['state'], RunReason>;

const wordsFrom = ({ source }: KnownOutput, { state, reason, lines, at }: SaidEnding): Words => {
  const general = GENERAL_REASONS[state];
  const name = source.split('/').at(-1) ?? source;
  const when = at === null ? '' : ` at ${momentInWords(at)}`;
  const said = lines.filter((line) => line.trim() !== '').map((line) => `${name}: ${line.trim()}`);
  const evidence = said.length > 0 ? said : [`${name}: says that it ended (${state})${when}`];
  const code = isReasonOf(reason, state) ? reason : general;
  return { verdict: { state, reason: code, evidence }, specific: code !== general };
};

/**
 * Whether rows, arguments or another output are newer than an ending: then it is history. An ending is the last thing
 * that its output tells of the training, so it is as new as the output: copied files keep their order that way.
 */
const wentOn = ({ progress, argsAt, outputs }: StateFacts, output: KnownOutput, { at }: SaidEnding): boolean => {
  const endAt = at === null ? output.writtenAt : Math.max(at, output.writtenAt ?? at);
  if (endAt === null) return false;
  return (
    isAfter(progress.last?.at, endAt) ||
    isAfter(argsAt, endAt) ||
    outputs.some(
      (other) =>
        other !== output &&
        (isAfter(other.facts.start?.t, endAt) || (other.facts.ending === null && isAfter(other.facts.saidAt, endAt))),
    )
  );
};
