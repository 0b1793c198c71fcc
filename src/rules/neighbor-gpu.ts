import type { Cause } from '../core/alert.ts';
import { defineRule, type GpuTickInput, type Parameters, type Stranger, type Verdict } from './rule.ts';
import { gib } from './wording.ts';

const parameters = {
  growthMb: {
    default: 500,
    minimum: 50,
    maximum: 100_000,
    unit: 'MB',
    description: "Memory of others on the run's GPU beyond what was usual that is a neighbour.",
  },
  usualS: {
    default: 30,
    minimum: 5,
    maximum: 600,
    unit: 's',
    description: 'What others held for this long is usual, if it is less than before.',
  },
} as const satisfies Parameters;

type State = {
  run: string | null;
  /** Bytes that others held in the last seconds, oldest first. */
  recent: { at: number; others: number }[];
  /** Bytes that they usually hold; null: the run has not been seen for long enough. */
  usual: number | null;
};

const newState = (): State => ({ run: null, recent: [], usual: null });

/** Somebody else takes memory of a GPU that a run trains on, and most often its time too. */
export const neighborGpu = defineRule({
  id: 'neighbor_gpu',
  title: 'Another process on the GPU',
  description: 'Processes that are not of the run take memory of its GPU: it is shared, slower, and may run out of it.',
  severity: ['warning'],
  subject: 'gpu',
  needs: ['gpu'],
  parameters,
  tracks: { neighbor: { hold: { ms: 20_000 }, keepFiring: { ms: 30_000 } } },
  init: newState,
  step: (state, input: GpuTickInput, { growthMb, usualS }) => {
    const { memoryUsed = null, runMemory = null } = input.values ?? {};
    if (input.run === null) return [newState(), { neighbor: { kind: 'clear', result: 'no run is on the GPU' } }];
    const next = state.run === input.run.id ? state : { ...newState(), run: input.run.id };
    if (memoryUsed === null || runMemory === null) {
      return [next, { neighbor: { kind: 'no-data', missing: ['memory of the run on the GPU'] } }];
    }
    const others = Math.max(0, memoryUsed - runMemory);
    follow(next, input.at, others, usualS * 1000);
    const { usual } = next;
    if (usual === null || others <= usual + growthMb * 1e6) {
      return [next, { neighbor: { kind: 'clear', result: 'the others have gone' } }];
    }
    return [next, { neighbor: breach(input, others, usual) }];
  },
});

/** The usual level only falls: a neighbour that stays does not become usual. One odd sample does not pull it down. */
const follow = (state: State, at: number, others: number, usualMs: number): void => {
  state.recent.push({ at, others });
  while ((state.recent[1]?.at ?? at) <= at - usualMs) state.recent.shift();
  const most = Math.max(...state.recent.map((one) => one.others));
  const isWhole = (state.recent[0]?.at ?? at) <= at - usualMs;
  if (isWhole) state.usual = Math.min(state.usual ?? most, most);
};

const breach = ({ gpu, values, strangers }: GpuTickInput, others: number, usual: number): Verdict => {
  const free = Math.max(0, (values?.memoryTotal ?? Number.NaN) - (values?.memoryUsed ?? 0));
  return {
    kind: 'breach',
    severity: 'warning',
    title: 'Another process takes memory of the GPU',
    problem: `Others hold ${gib(others)} GiB of ${gpu}, where they used to hold ${gib(usual)} GiB.${known(free)}`,
    evidence: [
      { name: 'memory of others', value: gib(others), unit: 'GiB', expected: gib(usual) },
      { name: 'memory of the run', value: gib(values?.runMemory ?? 0), unit: 'GiB' },
      ...largest(strangers).map((process) => ({
        name: `process ${process.pid}${process.user === null ? '' : ` of ${process.user}`}`,
        value: gib(process.memory ?? 0),
        unit: 'GiB',
      })),
    ],
    cause: causeOf(strangers),
    fix: [
      `Ask its owner to move it, or move the training to a GPU that is free (device=…).`,
      'If the memory runs short, lower batch before it ends in CUDA out of memory, and go on from last.pt.',
      'Keep a GPU for one training: CUDA_VISIBLE_DEVICES for everybody, or nvidia-smi -c EXCLUSIVE_PROCESS.',
    ],
  };
};

const known = (free: number): string => (Number.isNaN(free) ? '' : ` ${gib(free)} GiB are free.`);

const causeOf = (strangers: GpuTickInput['strangers']): Cause => {
  const told = largest(strangers).map(inWords);
  return {
    code: 'neighbor',
    text: told.length > 0 ? `Not of this run: ${told.join('; ')}.` : 'Processes that are not of this run use its GPU.',
    confidence: told.length > 0 ? 0.9 : 0.6,
    signals: ['memory of the GPU that the run does not hold'],
    missing: told.length > 0 ? [] : ['the processes of others on the GPU'],
  };
};

const MOST_NAMED = 3;
const MOST_CHARACTERS = 80;

/** Those with the most memory, the largest first. */
const largest = (strangers: GpuTickInput['strangers']): readonly Stranger[] =>
  [...(strangers ?? [])].sort((a, b) => (b.memory ?? 0) - (a.memory ?? 0)).slice(0, MOST_NAMED);

/** A command line comes from outside, and may be of any length. */
const inWords = ({ pid, user, command }: Stranger): string => {
  const shown = command === null ? 'a command that may not be read' : `"${command.slice(0, MOST_CHARACTERS)}"`;
  return `pid ${pid}${user === null ? '' : ` of ${user}`}, ${shown}`;
};
