import type { RuleInfo } from '../core/alert.ts';
import type { AnyRule, Parameters, ParameterValues } from './rule.ts';

/** The values in force of a rule's parameters. */
export const parameterValues = (rule: AnyRule): ParameterValues<Parameters> =>
  Object.fromEntries(Object.entries(rule.parameters).map(([name, parameter]) => [name, parameter.default]));

/** A rule as the API and the docs show it. */
export const describeRule = (rule: AnyRule): RuleInfo => ({
  id: rule.id,
  title: rule.title,
  description: rule.description,
  severity: [...rule.severity],
  subject: rule.subject,
  needs: [...rule.needs],
  parameters: Object.entries(rule.parameters).map(([name, parameter]) => ({
    name,
    ...parameter,
    value: parameter.default,
  })),
});
