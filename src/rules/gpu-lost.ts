import { defineRule, type GpuTickInput, type Parameters, type ParameterValues, type Verdict } from './rule.ts';
import { duration } from './wording.ts';

const parameters = {
  silentS: {
    default: 6,
    minimum: 2,
    maximum: 600,
    unit: 's',
    description: 'A GPU is lost when it gave no sample for this long while another one gave some.',
  },
  rememberedH: {
    default: 24,
    minimum: 1,
    maximum: 168,
    unit: 'h',
    description: 'A GPU that has been away for this long was taken out on purpose.',
  },
} as const satisfies Parameters;

type State = {
  lastAt: number | null;
  /** How long it has given nothing while another GPU gave samples; null: it never gave any, or is not missed any more. */
  silentS: number | null;
};

/** A tick stands for at most this long. */
const LONGEST_TICK_S = 5;
/** Words that may be meant for the driver as a whole have to hold for this long. */
const SAID_S = 2;

/**
 * A GPU that gave samples and gives none any more, while its neighbours do, or whose driver says that it is lost. When
 * all fall silent at once it is the driver or the sampling, and `collector_stale` tells.
 */
export const gpuLost = defineRule({
  id: 'gpu_lost',
  title: 'GPU lost',
  description: 'A GPU is not reached any more while others are, or its driver says that it is lost.',
  severity: ['critical'],
  subject: 'gpu',
  needs: ['gpu'],
  parameters,
  tracks: { lost: { hold: { evaluations: 1 }, keepFiring: { ms: 5000 } } },
  init: (): State => ({ lastAt: null, silentS: null }),
  step: (state, input: GpuTickInput, limits) => {
    const elapsedS = state.lastAt === null ? 0 : Math.min(LONGEST_TICK_S, (input.at - state.lastAt) / 1000);
    state.lastAt = input.at;
    if (input.values !== null) state.silentS = 0;
    else if (state.silentS !== null && input.othersAnswer) state.silentS += elapsedS;
    if (state.silentS !== null && state.silentS > limits.rememberedH * 3600) state.silentS = null;
    return [state, { lost: judge(state.silentS, input, limits) }];
  },
});

const judge = (
  silentS: number | null,
  { gpu, values, trouble, othersAnswer, run }: GpuTickInput,
  limits: ParameterValues<typeof parameters>,
): Verdict => {
  if (values !== null) return { kind: 'clear', result: `${gpu} answers again` };
  if (silentS === null) return { kind: 'clear', result: `${gpu} was away for ${limits.rememberedH} h` };
  const isNamed = trouble !== null && OF_ONE_GPU.test(trouble);
  const isSaid = isNamed || (trouble !== null && othersAnswer && silentS >= SAID_S);
  if (!isSaid && !(othersAnswer && silentS >= limits.silentS)) {
    return othersAnswer ? { kind: 'between' } : { kind: 'no-data', missing: ['samples of any GPU'] };
  }
  const words = trouble === null ? null : trouble.slice(0, MOST_CHARACTERS);
  const facts = [
    othersAnswer
      ? `${gpu} has given nothing for ${duration(silentS * 1000)}, while other GPUs go on.`
      : `${gpu} gives nothing.`,
    ...(words === null ? [] : [`The driver says: "${words}".`]),
    ...(run === null ? [] : [`The run ${run.name} uses it.`]),
  ];
  return {
    kind: 'breach',
    severity: 'critical',
    title: `${gpu} is lost`,
    problem: facts.join(' '),
    evidence: [
      { name: 'without a sample while others gave some', value: Math.round(silentS), unit: 's' },
      { name: 'the driver says', value: words, unit: '' },
    ],
    cause: {
      code: 'lost',
      text: 'It has fallen off the bus, hangs, or needs a reset: heat, power, its seat in the slot, or a fault of the board.',
      confidence: isNamed ? 0.9 : 0.6,
      signals: [...(isNamed ? ['what the driver says'] : []), ...(othersAnswer ? ['other GPUs answer'] : [])],
      missing: ['XID of the kernel log, unless another alert tells it'],
    },
    fix: [
      'Look for its XID: dmesg | grep -i xid.',
      'End what still runs on it: a training does not come back by itself. Then nvidia-smi --gpu-reset, or restart the machine.',
      'Go on from last.pt, on another GPU if this one stays away (device=…).',
      'When it comes again: temperature, power cables, seat in the slot, then the board.',
    ],
  };
};

const MOST_CHARACTERS = 200;

/** What is said of one GPU, not of the driver as a whole. */
const OF_ONE_GPU = /GPU is lost|fallen off the bus|requires reset|does not list this GPU/i;
