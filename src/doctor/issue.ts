import { GROUPS } from './check.ts';
import type { Report } from './doctor.ts';

/** Of these the facts are told too: they are what nobody can know without this very driver and board. */
const WITH_FACTS = 'gpu';

/** The report as Markdown for an issue, one line a check, all of it gone through `conceal`. */
export const renderIssue = (report: Report, conceal: (text: string) => string): string => {
  const groups = Map.groupBy(report.checks, ({ group }) => group);
  const lines = [...groups].flatMap(([group, checks]) => [
    `${GROUPS[group]}`,
    ...checks.flatMap(({ status, title, says, details }) => [
      `  ${status.padEnd('warning'.length)}  ${title}: ${conceal(says)}`,
      ...details.map((line) => `             ${conceal(line)}`),
    ]),
  ]);
  const facts = report.checks
    .filter(({ group }) => group === WITH_FACTS)
    .map(({ id, facts }) => `${id} ${conceal(JSON.stringify(facts))}`);
  return [
    `Signalbox ${report.version} on ${report.system}`,
    '',
    '```',
    ...lines,
    '```',
    ...(facts.length === 0
      ? []
      : ['<details><summary>GPU facts</summary>', '', '```', ...facts, '```', '', '</details>']),
    '',
  ].join('\n');
};
