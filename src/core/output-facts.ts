import { failureOf } from './failure-codes.ts';
import type { ClassesEvent, PhaseEvent, RunEvent, StartEvent, StepEvent } from './trace.ts';

/** How a training ended by its own words, with the lines that say so. */
export type SaidEnding = {
  readonly state: 'finished' | 'early_stopped' | 'stopped' | 'failed';
  readonly reason: string;
  readonly lines: readonly string[];
  readonly at: number | null;
};

/** What one output of a run (its sidecar, one console log, POST /ingest) has come to. Plain JSON: the store keeps it. */
export type OutputFacts = {
  /** How many processes it speaks of. */
  readonly starts: number;
  readonly start: StartEvent | null;
  /** Planned by the last arguments or the last start that said so. */
  readonly epochsPlanned: number | null;
  readonly phase: PhaseEvent | null;
  readonly step: StepEvent | null;
  /** The newest metrics by class, the final ones before any other. */
  readonly classes: ClassesEvent | null;
  /** Null while it runs, and again when it goes on. */
  readonly ending: SaidEnding | null;
  /** The newest line that tells of trouble which the training survived, such as a halved batch. */
  readonly trouble: string | null;
  /** The moment of the newest event that has one. */
  readonly saidAt: number | null;
};

/** What one output of a run has come to. */
export type KnownOutput = {
  readonly source: string;
  readonly facts: OutputFacts;
  readonly writtenAt: number | null;
};

export const NOTHING_SAID: OutputFacts = {
  starts: 0,
  start: null,
  epochsPlanned: null,
  phase: null,
  step: null,
  classes: null,
  ending: null,
  trouble: null,
  saidAt: null,
};

/** The facts after one more event, in the order of the output. What goes on after an ending had not ended. */
export const hear = (before: OutputFacts, event: RunEvent): OutputFacts => {
  const facts: OutputFacts = event.t === null ? before : { ...before, saidAt: Math.max(before.saidAt ?? 0, event.t) };
  switch (event.kind) {
    case 'start':
      return {
        ...facts,
        starts: facts.starts + 1,
        start: event,
        epochsPlanned: event.epochs ?? facts.epochsPlanned,
        phase: null,
        step: null,
        ending: null,
        trouble: null,
      };
    case 'batch':
      return { ...facts, step: event, ending: null };
    case 'phase':
      return { ...facts, phase: event, ending: null };
    case 'epoch':
      return { ...facts, ending: null };
    case 'classes':
      return facts.classes?.final === true && event.final !== true ? facts : { ...facts, classes: event };
    case 'args':
      return { ...facts, epochsPlanned: event.epochs ?? facts.epochsPlanned };
    case 'end':
      return { ...facts, ending: endingOf(event) };
    case 'log':
      return isTrouble(event.code) ? { ...facts, trouble: event.line } : facts;
  }
};

const STATES = {
  finished: 'finished',
  early_stopped: 'early_stopped',
  interrupted: 'stopped',
  exception: 'failed',
} as const;

const REASONS = {
  finished: 'said_finished',
  early_stopped: 'patience',
  interrupted: 'interrupted',
  exception: 'error_in_log',
} as const;

const endingOf = ({ t, reason, error, said, code }: Extract<RunEvent, { kind: 'end' }>): SaidEnding => ({
  state: STATES[reason],
  reason: code ?? (reason === 'exception' && error !== undefined ? failureOf(error) : REASONS[reason]),
  lines: (error ?? said)?.split('\n').slice(-4) ?? [],
  at: t,
});

const isTrouble = (code: string | undefined): boolean => code === 'batch_halved' || code === 'nan_recovery';
