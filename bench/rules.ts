import { parseArgs } from 'node:util';
import { sum } from '../src/core/statistics.ts';
import type { Report } from './figures.ts';
import { FULL, planOf, QUICK, REPORTED_SEEDS, TUNING_SEEDS } from './rules/plan.ts';
import { playAll } from './rules/play.ts';
import { type Figures, quietOf, type RuleResult, resultsOf } from './rules/results.ts';
import type { Wanted } from './rules/scenario.ts';
import { tableOf } from './rules/table.ts';

/** A worker each; the machine may have others to serve. */
const THREADS = 2;
/** F1 of a rule on the scenarios of the Python generators may differ by so much: easier ones would hide a weak rule. */
const ALLOWED_DIFFERENCE = 0.03;

/**
 * How well the rules find what is in generated scenarios, and how quiet they are on healthy ones (RULES 7). `--quick`:
 * fewer scenarios; `--tune`: on the seeds that rules may be tuned on; `--python FOLDER`: also by the prototype's
 * generators in that folder.
 */
export const measure = async (report: Report): Promise<void> => {
  const { values } = parseArgs({
    args: process.argv.slice(3),
    options: { quick: { type: 'boolean' }, tune: { type: 'boolean' }, python: { type: 'string' } },
  });
  const wanted = planOf(values.quick ? QUICK : FULL, values.tune ? TUNING_SEEDS : REPORTED_SEEDS);
  const played = await playAll(wanted, null, THREADS);
  const results = resultsOf(played);
  const quiet = { rows: quietOf(played, 'rows'), seconds: quietOf(played, 'seconds') };
  for (const result of results) reportRule(report, result);
  report('all_false_alerts_rows', quiet.rows.falseAlerts.ours, 'per 100 clean runs');
  report('all_false_alerts_samples', quiet.seconds.falseAlerts.ours, 'per clean day');
  for (const scale of ['rows', 'seconds'] as const) {
    const runs = played.filter((run) => run.scale === scale);
    const cost = sum(runs.map(({ judgingMs }) => judgingMs)) / sum(runs.map(({ rounds }) => rounds));
    report(`judging_${scale}`, cost, 'ms a round, all rules on one run');
  }
  console.log(`\n${tableOf(results, quiet)}\n`);
  if (values.python !== undefined) await compare(report, values.python, wanted, results);
};

/**
 * The same by the prototype's generators: with our chance, where nothing but the generators can differ, and with
 * Python's, where luck does too. Throws when the former are too far from ours.
 */
const compare = async (
  report: Report,
  folder: string,
  wanted: readonly Wanted[],
  results: readonly RuleResult[],
): Promise<void> => {
  const tooFar: string[] = [];
  for (const chance of ['lent', 'own'] as const) {
    const theirs = resultsOf(await playAll(wanted, { folder, chance }, THREADS));
    for (const [i, { scored, ours }] of results.entries()) {
      const other = theirs[i]?.ours;
      if (!ours || !other) continue;
      const difference = other.f1 - ours.f1;
      report(`${scored.rule}_python_${chance}_f1`, other.f1, '');
      report(`${scored.rule}_python_${chance}_difference`, difference, '');
      if (chance === 'lent' && Math.abs(difference) > ALLOWED_DIFFERENCE) tooFar.push(scored.rule);
    }
  }
  if (tooFar.length > 0) throw new Error(`F1 differs on the scenarios of ${folder}: ${tooFar.join(', ')}`);
};

const reportRule = (report: Report, { scored: { rule, scale }, ours, first, careful, random, none }: RuleResult) => {
  const alertsPer = scale === 'rows' ? 'per 100 clean runs' : 'per clean day';
  if (ours) {
    for (const [figure, value, unit] of figuresOf(ours, scale === 'rows' ? 'rows' : 's', alertsPer)) {
      if (value !== null) report(`${rule}_${figure}`, value, unit);
    }
  }
  for (const [name, { f1, falseAlerts }] of Object.entries({ first, careful })) {
    report(`${rule}_${name}_f1`, f1, '');
    report(`${rule}_${name}_false_alerts`, falseAlerts, alertsPer);
  }
  report(`${rule}_random_f1`, random.f1, '');
  report(`${rule}_none_f1`, none.f1, '');
};

const figuresOf = (
  own: Figures,
  unit: string,
  alertsPer: string,
): readonly (readonly [string, number | null, string])[] => [
  ['f1', own.f1, ''],
  ['timely_f1', own.timelyF1, ''],
  ['precision', own.precision, ''],
  ['recall', own.recall, ''],
  ['events', own.events, ''],
  ['late', own.late, ''],
  ['delay_p50', own.delayP50, unit],
  ['delay_p90', own.delayP90, unit],
  ['false_alerts', own.falseAlerts, alertsPer],
  ['cause_accuracy', own.causeAccuracy, ''],
  ['time_left_error', own.leftError, ''],
  ['lead', own.lead, ''],
];
