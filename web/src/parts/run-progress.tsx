import type { Run } from '../../../src/core/run.ts';
import { formatNumber, formatPercent } from '../format.ts';
import { text } from '../text.ts';

/** How far a run is: the bar, and the epochs in words. Without a plan only the words. */
export const RunProgress = ({ run, name }: { readonly run: Run; readonly name: string }) => {
  const { epochs, epochsPlanned } = run;
  if (epochsPlanned === null) return <p class="progress-words">{text.run.epochs(formatNumber(epochs))}</p>;
  return (
    <div class="run-progress">
      <progress max={epochsPlanned} value={Math.min(epochs, epochsPlanned)} aria-label={text.run.progress(name)} />
      <p class="progress-words">
        <span>{text.run.epochsOf(formatNumber(epochs), formatNumber(epochsPlanned))}</span>
        <span class="soft">{formatPercent((epochs / Math.max(1, epochsPlanned)) * 100)}</span>
      </p>
    </div>
  );
};
