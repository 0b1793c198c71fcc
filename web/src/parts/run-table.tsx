import type { Run } from '../../../src/core/run.ts';
import { useNow } from '../context.ts';
import { formatDuration, formatFixed, formatMoment, formatNumber, UNKNOWN } from '../format.ts';
import { mAP } from '../model/run-metrics.ts';
import { runPath } from '../route.ts';
import { text } from '../text.ts';
import { Link } from './link.tsx';
import { StateBadge } from './state-badge.tsx';

type Props = { readonly runs: readonly Run[]; readonly nameOf: (run: string) => string };

/** Runs that have ended, one a row. On a narrow screen every row becomes a block of its own. */
export const RunTable = ({ runs, nameOf }: Props) => {
  const now = useNow();
  const { columns } = text.runs;
  return (
    <table class="list">
      <thead>
        <tr>
          <th scope="col">{columns.run}</th>
          <th scope="col">{columns.state}</th>
          <th scope="col" class="figure">
            {columns.epochs}
          </th>
          <th scope="col" class="figure">
            {columns.best}
          </th>
          <th scope="col">{columns.started}</th>
          <th scope="col" class="figure">
            {columns.duration}
          </th>
        </tr>
      </thead>
      <tbody>
        {runs.map((run) => (
          <tr key={run.id}>
            <th scope="row">
              <Link to={runPath(run.id)}>{nameOf(run.id)}</Link>
            </th>
            <td>
              <StateBadge run={run} />
            </td>
            <td class="figure" data-label={columns.epochs}>
              {run.epochsPlanned === null
                ? formatNumber(run.epochs)
                : text.of(formatNumber(run.epochs), formatNumber(run.epochsPlanned))}
            </td>
            <td class="figure" data-label={columns.best}>
              {formatFixed(mAP(run.best?.metrics, '50-95'), 3)}
            </td>
            <td class="whole" data-label={columns.started}>
              {formatMoment(run.startedAt, now)}
            </td>
            <td class="figure" data-label={columns.duration}>
              {run.epochs === 0 || run.startedAt === null || run.endedAt === null
                ? UNKNOWN
                : formatDuration(run.endedAt - run.startedAt)}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
};
