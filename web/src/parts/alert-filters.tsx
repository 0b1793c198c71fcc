import type { Alert, AlertState, Severity } from '../../../src/core/alert.ts';
import { useParts } from '../context.ts';
import { text } from '../text.ts';

/** What the list of alerts is narrowed to; empty means any. */
export type AlertFilter = {
  readonly state: string;
  readonly severity: string;
  readonly rule: string;
  readonly run: string;
};

/** Reads the filters from the query of an address. */
export const filterOf = (query: string): AlertFilter => {
  const asked = new URLSearchParams(query);
  const of = (name: keyof AlertFilter) => asked.get(name) ?? '';
  return { state: of('state'), severity: of('severity'), rule: of('rule'), run: of('run') };
};

type Props = {
  readonly filter: AlertFilter;
  /** All that are known: their rules and runs can be chosen. */
  readonly alerts: readonly Alert[];
  readonly nameOf: (run: string) => string;
};

const STATES: readonly AlertState[] = ['firing', 'pending', 'resolved'];
const SEVERITIES: readonly Severity[] = ['critical', 'warning', 'info'];

export const AlertFilters = ({ filter, alerts, nameOf }: Props) => {
  const { location } = useParts();
  const choose = (name: keyof AlertFilter, value: string) => {
    const chosen = Object.entries({ ...filter, [name]: value }).filter(([, word]) => word !== '');
    location.go(`alerts?${new URLSearchParams(chosen)}`, { replace: true });
  };
  const rules = [...new Set([...alerts.map((alert) => alert.rule), filter.rule])].filter((rule) => rule !== '').sort();
  const runs = [...new Set([...alerts.flatMap((alert) => alert.run ?? []), filter.run])].filter((run) => run !== '');
  const selects = [
    { name: 'state', label: text.alerts.state, options: STATES.map((word) => [word, text.alertState[word]]) },
    { name: 'severity', label: text.alerts.severity, options: SEVERITIES.map((word) => [word, text.severity[word]]) },
    { name: 'rule', label: text.alerts.rule, options: rules.map((rule) => [rule, rule]) },
    { name: 'run', label: text.alerts.run, options: runs.map((run) => [run, nameOf(run)]) },
  ] as const;
  return (
    <form class="filters" aria-label={text.alerts.filters}>
      {selects.map(({ name, label, options }) => (
        <label key={name}>
          {label}
          <select value={filter[name]} onChange={(event) => choose(name, event.currentTarget.value)}>
            <option value="">{text.alerts.any}</option>
            {options.map(([value, word]) => (
              <option key={value} value={value}>
                {word}
              </option>
            ))}
          </select>
        </label>
      ))}
    </form>
  );
};
