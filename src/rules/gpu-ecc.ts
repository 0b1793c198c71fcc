import type { Cause } from '../core/alert.ts';
import { defineRule, type GpuTickInput, type Parameters, type Verdict } from './rule.ts';

const parameters = {
  correctedS: {
    default: 3600,
    minimum: 60,
    maximum: 86_400,
    unit: 's',
    description: 'Errors that were mended are noted until none came for this long.',
  },
} as const satisfies Parameters;

type State = {
  /** Mended errors when first seen, and as seen last; when the last came. */
  correctedFirst: number | null;
  corrected: number | null;
  correctedAt: number | null;
};

/** Errors of the memory of a GPU, by its own counters. A counter starts from 0 with the driver or a reset. */
export const gpuEcc = defineRule({
  id: 'gpu_ecc',
  title: 'GPU memory errors',
  description:
    'ECC found errors in the memory of the GPU that it could not mend, rows of it could not be replaced or wait for a reset, or (noted only) errors that were mended.',
  severity: ['info', 'warning', 'critical'],
  subject: 'gpu',
  needs: ['gpu'],
  parameters,
  tracks: {
    uncorrected: { hold: { evaluations: 1 }, keepFiring: { ms: 5000 } },
    remap: { hold: { evaluations: 1 }, keepFiring: { ms: 5000 } },
    corrected: { hold: { evaluations: 1 }, keepFiring: { evaluations: 1 } },
  },
  init: (): State => ({ correctedFirst: null, corrected: null, correctedAt: null }),
  step: (state, input: GpuTickInput, limits) => {
    const { eccErrors = null, eccCorrected = null, rowRemapPending = null, rowRemapFailed = null } = input.values ?? {};
    follow(state, input.at, eccCorrected, limits.correctedS * 1000);
    return [
      state,
      {
        uncorrected:
          eccErrors === null ? missing('uncorrected ECC errors') : eccErrors > 0 ? uncorrected(input, eccErrors) : OVER,
        remap:
          rowRemapFailed === null && rowRemapPending === null
            ? missing('row remapping')
            : (rowRemapFailed ?? 0) > 0
              ? remapFailed(input)
              : (rowRemapPending ?? 0) > 0
                ? remapPending(input)
                : OVER,
        corrected:
          eccCorrected === null
            ? missing('corrected ECC errors')
            : state.correctedAt === null
              ? { kind: 'clear', result: 'no more came' }
              : corrected(input, eccCorrected - (state.correctedFirst ?? 0), eccCorrected),
      },
    ];
  },
});

const follow = (state: State, at: number, corrected: number | null, forgetMs: number): void => {
  if (corrected === null) return;
  const hasGrown = state.corrected !== null && corrected > state.corrected;
  // What was there before we looked, or before a reset, says nothing about now.
  if (state.corrected === null || corrected < state.corrected) Object.assign(state, { correctedFirst: corrected });
  if (hasGrown) state.correctedAt = at;
  else if (state.correctedAt !== null && at - state.correctedAt > forgetMs) {
    Object.assign(state, { correctedAt: null, correctedFirst: corrected });
  }
  state.corrected = corrected;
};

const missing = (what: string): Verdict => ({ kind: 'no-data', missing: [what] });
const OVER: Verdict = { kind: 'clear', result: 'the GPU was reset' };

const uncorrected = ({ gpu }: GpuTickInput, errors: number): Verdict => ({
  kind: 'breach',
  severity: 'critical',
  title: 'GPU memory errors that could not be mended',
  problem: `ECC could not mend ${errors} ${errors === 1 ? 'error' : 'errors'} in the memory of ${gpu} since its driver was loaded: what was computed with it may be wrong.`,
  evidence: [{ name: 'uncorrected ECC errors', value: errors, unit: '', expected: 0 }],
  cause: failing('uncorrected ECC errors'),
  fix: [
    'Go on from the last checkpoint that was written before, on another GPU if there is one.',
    reset(gpu),
    'When it comes again after that, have the board replaced.',
  ],
});

const remapFailed = ({ gpu }: GpuTickInput): Verdict => ({
  kind: 'breach',
  severity: 'critical',
  title: 'Bad GPU memory could not be replaced',
  problem: `Rows of the memory of ${gpu} are bad and could not be replaced by spare ones.`,
  evidence: [{ name: 'row remapping has failed', value: 'yes', unit: '', expected: 'no' }],
  cause: failing('row remapping has failed'),
  fix: ['Move the training to another GPU.', 'Have the board replaced.'],
});

const remapPending = ({ gpu }: GpuTickInput): Verdict => ({
  kind: 'breach',
  severity: 'warning',
  title: 'GPU memory waits for a reset',
  problem: `Rows of the memory of ${gpu} are bad; spare ones take their place with the next reset.`,
  evidence: [{ name: 'rows to be remapped', value: 'yes', unit: '', expected: 'no' }],
  cause: failing('rows to be remapped'),
  fix: ['Let the training end, or stop it at an epoch and resume it.', reset(gpu)],
});

const corrected = ({ gpu }: GpuTickInput, came: number, errors: number): Verdict => ({
  kind: 'breach',
  severity: 'info',
  title: 'GPU memory errors were mended',
  problem: `ECC mended ${came} ${came === 1 ? 'error' : 'errors'} in the memory of ${gpu} of late; nothing was lost.`,
  evidence: [{ name: 'corrected ECC errors', value: errors, unit: '', expected: errors - came }],
  cause: failing('corrected ECC errors', 0.4),
  fix: ['Nothing now. When they become many, plan to have the board looked at.'],
});

/** A fault of the board; `signal` speaks for it. */
const failing = (signal: string, confidence = 0.8): Cause => ({
  code: 'memory',
  text: 'Cells of the memory of the GPU fail, by age, heat or radiation.',
  confidence,
  signals: [signal],
  missing: [],
});

const reset = (gpu: string): string =>
  `When nothing runs on it: nvidia-smi --gpu-reset -i ${gpu.split(':')[1]}, or restart the machine.`;
