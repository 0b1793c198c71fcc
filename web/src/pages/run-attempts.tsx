import type { Attempt } from '../../../src/core/run.ts';
import { useNow } from '../context.ts';
import { formatMoment, formatNumber } from '../format.ts';
import { text } from '../text.ts';

/** The processes of a run, one a row. */
export const AttemptTable = ({ attempts }: { readonly attempts: readonly Attempt[] }) => {
  const now = useNow();
  const { attemptColumns: columns } = text.run;
  return (
    <table class="list">
      <thead>
        <tr>
          {Object.values(columns).map((column) => (
            <th key={column} scope="col">
              {column}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {attempts.map((attempt) => (
          <tr key={attempt.attempt}>
            <th scope="row">{formatNumber(attempt.attempt)}</th>
            <td data-label={columns.kind}>{text.attemptKind[attempt.kind]}</td>
            <td data-label={columns.from}>{formatNumber(attempt.firstEpoch)}</td>
            <td data-label={columns.to}>{formatNumber(attempt.lastEpoch)}</td>
            <td data-label={columns.epochs}>{formatNumber(attempt.epochs)}</td>
            <td data-label={columns.started}>{formatMoment(attempt.startedAt, now)}</td>
            <td data-label={columns.ended}>{formatMoment(attempt.endedAt, now)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
};
