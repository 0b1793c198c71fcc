import type { CollectorState } from '../../../src/core/collector-health.ts';
import { formatDuration, formatNumber, formatUnit, UNKNOWN } from '../format.ts';
import { COLLECTOR_LOOKS, collectorLook } from '../model/degraded.ts';
import { text } from '../text.ts';

/** Collectors, one a row. On a narrow screen every row becomes a block of its own. */
export const CollectorTable = ({ collectors }: { readonly collectors: readonly CollectorState[] }) => {
  const { columns } = text.health;
  return (
    <table class="list">
      <thead>
        <tr>
          <th scope="col">{columns.name}</th>
          <th scope="col">{columns.state}</th>
          <th scope="col" class="figure">
            {columns.age}
          </th>
          <th scope="col" class="figure">
            {columns.every}
          </th>
          <th scope="col" class="figure">
            {columns.duration}
          </th>
          <th scope="col" class="figure">
            {columns.misses}
          </th>
          <th scope="col">{columns.says}</th>
        </tr>
      </thead>
      <tbody>
        {collectors.map((collector) => (
          <CollectorRow key={collector.name} collector={collector} />
        ))}
      </tbody>
    </table>
  );
};

const CollectorRow = ({ collector }: { readonly collector: CollectorState }) => {
  const { columns, state, ago, never } = text.health;
  const look = collectorLook(collector);
  const { sign, tone } = COLLECTOR_LOOKS[look];
  const says = saysOf(collector);
  return (
    <tr>
      <th scope="row">{collector.name}</th>
      <td>
        <span class={`badge tone-${tone}`}>
          <span aria-hidden="true">{sign}</span> {state[look]}
        </span>
      </td>
      <td class="figure" data-label={columns.age}>
        {collector.ageMs === null ? never : ago(formatLength(collector.ageMs))}
      </td>
      <td class="figure" data-label={columns.every}>
        {formatLength(collector.everyMs)}
      </td>
      <td class="figure" data-label={columns.duration}>
        {formatLength(collector.durationMs)}
      </td>
      <td class="figure" data-label={columns.misses}>
        {formatNumber(collector.misses)}
      </td>
      <td class="says">{says}</td>
    </tr>
  );
};

/** The error that it is in, as it was said; else what a person may want to know. */
const saysOf = ({ error, failures, polling }: CollectorState): string => {
  if (error !== null) return text.health.inARow(formatNumber(failures), error);
  return polling ? text.health.polling : '';
};

/** A look takes milliseconds, a silence may last for days. */
const formatLength = (ms: number | null): string => {
  if (ms === null) return UNKNOWN;
  return ms < 1000 ? formatUnit(Math.round(ms * 10) / 10, 'ms') : formatDuration(ms);
};
