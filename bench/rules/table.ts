import type { Figures, Quiet, RuleResult } from './results.ts';
import type { Interval } from './scorecard.ts';

/** The results as a page in Markdown. */
export const tableOf = (results: readonly RuleResult[], quiet: Readonly<Record<'rows' | 'seconds', Quiet>>): string =>
  [
    ...section('Epoch rows', results, 'rows', quiet.rows),
    '',
    ...section('Samples, rows only (no phases)', results, 'seconds', quiet.seconds),
    '',
    '`n`: events that must be found. F1 with precision / recall and their 95 % intervals; F1ₜ counts late hits less.',
    'Delay in rows or seconds. FA: alerts on clean runs, of 100 of them (rows) or in a day of them (samples).',
    'A, C: the naive sets; random: as many alerts as ours, anywhere; one that never fires has F1 0 everywhere.',
  ].join('\n');

const section = (title: string, all: readonly RuleResult[], scale: 'rows' | 'seconds', quiet: Quiet) => {
  const results = all.filter(({ scored }) => scored.scale === scale);
  const perWhat = scale === 'rows' ? '/100 runs' : '/day';
  const { ours, first, careful } = quiet.falseAlerts;
  const size = `${quiet.cleanRuns} clean runs${scale === 'rows' ? '' : `, ${round(quiet.cleanLength / 3600, 1)} h`}`;
  return [
    `### ${title} (${size})`,
    '',
    `| rule | n | F1 (P/R) | P, R 95 % | late, again | d50/d90 | F1ₜ | FA ${perWhat} | cause | left: error, lead | recall by grade | A F1, FA | C F1, FA | random F1 | goal |`,
    '|---|---:|---|---|---|---|---:|---:|---:|---|---|---|---|---:|---:|',
    ...results.map(row),
    `| all our rules | | | | | | | **${round(ours, 2)}** (${percent(quiet.disturbed)} of clean runs) | | | | ${round(first, 1)} | ${round(careful, 1)} | | ${scale === 'rows' ? '≤ 4' : '≤ 0.5'} |`,
  ];
};

const row = ({ scored, events, ours, first, careful, random }: RuleResult): string => {
  const { rule, goal } = scored;
  const others = [brief(first), brief(careful), round(random.f1, 2), `${goal}`];
  const own = ours ? ownCells(ours) : ['not scored: no such rule yet', ...Array<string>(8).fill('')];
  return `| ${[`\`${rule}\``, `${events}`, ...own, ...others].join(' | ')} |`;
};

const ownCells = (own: Figures): readonly string[] => [
  `**${round(own.f1, 3)}** (${round(own.precision, 2)}/${round(own.recall, 2)})`,
  `${interval(own.precisionInterval)}, ${interval(own.recallInterval)}`,
  `${own.late}, ${own.repeated}`,
  `${round(own.delayP50, 0)}/${round(own.delayP90, 0)}`,
  round(own.timelyF1, 2),
  round(own.falseAlerts, 2),
  own.causeAccuracy === null ? '' : percent(own.causeAccuracy),
  own.leftError === null ? '' : `${percent(own.leftError)}, ${percent(own.lead ?? 0)}`,
  own.byGrade.map(({ grade, events, found }) => `${round(grade, 2)}: ${found}/${events}`).join(' '),
];

const brief = ({ f1, falseAlerts }: Figures): string => `${round(f1, 2)}, ${round(falseAlerts, 1)}`;
const interval = (bounds: Interval | null): string =>
  bounds === null ? '–' : `${round(bounds[0], 2)}–${round(bounds[1], 2)}`;
const percent = (share: number): string => `${round(100 * share, 1)} %`;
const round = (value: number | null, digits: number): string =>
  value === null ? '–' : `${Number(value.toFixed(digits))}`;
