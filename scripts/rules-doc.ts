// Writes docs/rules.md from the rules themselves: `node scripts/rules-doc.ts`.
import { writeFileSync } from 'node:fs';
import type { RuleInfo } from '../src/core/alert.ts';
import { describeRule } from '../src/rules/describe.ts';
import { RULES } from '../src/rules/registry.ts';

/** The page of the rules, in Markdown. */
export const rulesDocument = (rules: readonly RuleInfo[]): string =>
  [
    '# Rules',
    '',
    'What is judged, and by which numbers. Written by `node scripts/rules-doc.ts` from the code: do not edit.',
    'An alert of severity `info` is an annotation: it never notifies.',
    ...rules.flatMap(ruleSection),
    '',
  ].join('\n');

const ruleSection = (rule: RuleInfo): readonly string[] => [
  '',
  `## ${rule.id}: ${rule.title}`,
  '',
  rule.description,
  '',
  `- severity: ${rule.severity.map(code).join(', ')}`,
  `- about: one ${rule.subject}`,
  `- needs: ${rule.needs.map(code).join(', ')}`,
  '',
  '| parameter | default | from | to | unit | what it is |',
  '|---|---:|---:|---:|---|---|',
  ...rule.parameters.map(
    ({ name, unit, minimum, maximum, description, ...parameter }) =>
      `| ${code(name)} | ${parameter.default} | ${minimum} | ${maximum} | ${cell(unit)} | ${cell(description)} |`,
  ),
];

const code = (word: string): string => `\`${word}\``;
const cell = (text: string): string => text.replaceAll('|', '\\|');

if (import.meta.main) writeFileSync('docs/rules.md', rulesDocument(RULES.map(describeRule)));
