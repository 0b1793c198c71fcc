import type { Run } from '../../../src/core/run.ts';
import { STATE_LOOKS } from '../model/run-state.ts';
import { reasonText, text } from '../text.ts';

/** A run's state with its reason, as sign, colour and words. */
export const StateBadge = ({ run }: { readonly run: Run }) => {
  const { sign, tone } = STATE_LOOKS[run.state];
  return (
    <span class="state">
      <span class={`badge tone-${tone}`}>
        <span aria-hidden="true">{sign}</span> {text.state[run.state]}
      </span>
      {run.stateReason !== null && <span class="soft"> {reasonText(run.stateReason)}</span>}
    </span>
  );
};
