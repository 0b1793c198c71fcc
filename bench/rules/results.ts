import { sum } from '../../src/core/statistics.ts';
import { CATALOGUE, type Scored } from './catalogue.ts';
import { isOurs } from './detectors/ours.ts';
import type { Raised } from './detectors/raised.ts';
import { raiseAtRandom } from './detectors/random.ts';
import type { DetectorName, Played } from './play.ts';
import { scoreRun } from './score.ts';
import { type Scorecard, scorecardOf } from './scorecard.ts';

/** A detector's figures on one rule. */
export type Figures = Scorecard & {
  /** Alerts on clean runs: of 100 of them (rows), or in a day of them (seconds). */
  readonly falseAlerts: number;
};

/** One rule of the catalogue; `ours` is null where the product does not have it yet. */
export type RuleResult = {
  readonly scored: Scored;
  readonly events: number;
  readonly ours: Figures | null;
  readonly first: Figures;
  readonly careful: Figures;
  readonly random: Figures;
  readonly none: Figures;
};

/** All rules together on one scale's clean runs. */
export type Quiet = {
  readonly cleanRuns: number;
  readonly cleanLength: number;
  readonly falseAlerts: Readonly<Record<DetectorName, number>>;
  /** Share of clean runs on which we raise anything. */
  readonly disturbed: number;
};

/** Scores every rule of the catalogue. */
export const resultsOf = (played: readonly Played[]): readonly RuleResult[] =>
  CATALOGUE.map((scored) => {
    const { rule, scale } = scored;
    const runs = played.filter((run) => run.scale === scale);
    const by = (name: DetectorName) => figuresOf(scored, runs, alertsOf(runs, name, rule));
    const none = figuresOf(
      scored,
      runs,
      runs.map(() => []),
    );
    const ours = isOurs(rule) ? by('ours') : null;
    // As many as ours; of a rule that is not ours, one for each event.
    const count = ours ? alertsOf(runs, 'ours', rule).flat().length : none.events;
    const random = figuresOf(scored, runs, raiseAtRandom(rule, runs, count));
    return { scored, events: none.events, ours, first: by('first'), careful: by('careful'), random, none };
  });

/** How quiet each detector is on the clean runs of a scale. */
export const quietOf = (played: readonly Played[], scale: Scored['scale']): Quiet => {
  const clean = played.filter((run) => run.clean && run.scale === scale);
  const rate = (name: DetectorName) => rateOn(clean, scale, sum(clean.map((run) => run.raised[name].length)));
  return {
    cleanRuns: clean.length,
    cleanLength: sum(clean.map(({ length }) => length)),
    falseAlerts: { ours: rate('ours'), first: rate('first'), careful: rate('careful') },
    disturbed: clean.filter(({ raised }) => raised.ours.length > 0).length / clean.length,
  };
};

const alertsOf = (runs: readonly Played[], name: DetectorName, rule: string): readonly (readonly Raised[])[] =>
  runs.map(({ raised }) => raised[name].filter((alert) => alert.rule === rule));

const figuresOf = (
  { rule, scale, after, goodDelay }: Scored,
  runs: readonly Played[],
  raised: readonly (readonly Raised[])[],
): Figures => {
  const scores = runs.map(({ labels }, i) =>
    scoreRun(
      raised[i] ?? [],
      labels.filter((label) => label.rule === rule),
      after,
    ),
  );
  const onClean = sum(runs.map(({ clean }, i) => (clean ? (raised[i]?.length ?? 0) : 0)));
  const clean = runs.filter((run) => run.clean);
  return { ...scorecardOf(scores, goodDelay), falseAlerts: rateOn(clean, scale, onClean) };
};

const DAY_S = 86_400;

const rateOn = (clean: readonly Played[], scale: Scored['scale'], alerts: number): number =>
  scale === 'rows' ? (100 * alerts) / clean.length : (DAY_S * alerts) / sum(clean.map(({ length }) => length));
