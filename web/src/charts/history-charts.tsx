import type { ComponentChildren } from 'preact';
import type { HistoryState, LiveHistory } from '../state/use-history.ts';
import { text } from '../text.ts';

type Props = {
  readonly state: HistoryState;
  readonly children: (live: LiveHistory) => ComponentChildren;
};

/** The charts over one history, or why there are none. */
export const HistoryCharts = ({ state, children }: Props) => {
  const { live, loading, problem, again } = state;
  if (problem !== null) {
    return (
      <p class="notice" role="alert">
        {text.failed(problem)}{' '}
        <button type="button" onClick={again} disabled={loading}>
          {text.retry}
        </button>
      </p>
    );
  }
  if (live === null) return <p class="soft">{text.loading}</p>;
  if (live.history.t.length === 0) return <p class="soft">{loading ? text.loading : text.chart.empty}</p>;
  return (
    <div class="charts" aria-busy={loading}>
      {children(live)}
    </div>
  );
};
