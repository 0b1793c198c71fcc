import type { RunState } from '../../../src/core/run.ts';

/**
 * How a state is shown: a sign beside the word (colour alone tells some people nothing), a tone, and whether it is
 * among the active ones. Only types are taken from the core here, so that the schema library stays out of the browser.
 */
export const STATE_LOOKS: Readonly<
  Record<
    RunState,
    { readonly sign: string; readonly tone: 'go' | 'good' | 'calm' | 'warn' | 'bad'; readonly active: boolean }
  >
> = {
  starting: { sign: '◌', tone: 'go', active: true },
  running: { sign: '▶', tone: 'go', active: true },
  stalled: { sign: '‖', tone: 'warn', active: true },
  finished: { sign: '✓', tone: 'good', active: false },
  early_stopped: { sign: '✓', tone: 'good', active: false },
  stopped: { sign: '■', tone: 'calm', active: false },
  failed: { sign: '✕', tone: 'bad', active: false },
};
