import type { LogLine, PhaseChange, Step } from '../core/output.ts';
import { hear, NOTHING_SAID } from '../core/output-facts.ts';
import type { Store } from '../core/ports.ts';
import { type Classes, classMetricsOf } from './classes.ts';
import type { LogLines } from './log-lines.ts';
import type { Outputs, StoredOutput } from './outputs.ts';
import type { Phases } from './phases.ts';
import { type Steps, stepOf } from './steps.ts';

const MAX_LINE_CHARACTERS = 4096;

/**
 * Takes one look at an output into the tables, each event once: what lies before the offset that was reached is passed
 * over. An output that began anew speaks of further attempts, never again of those before it.
 */
export const createObserveOutput = (tables: {
  readonly outputs: Outputs;
  readonly steps: Steps;
  readonly classes: Classes;
  readonly phases: Phases;
  readonly logLines: LogLines;
}): Store['observeOutput'] => {
  const { outputs } = tables;
  return (run, { source, generation, writtenAt, size, events: observed }) => {
    const before = outputs.find(run, source);
    // Another file may begin with the same line; one that is shorter than what was taken is another.
    const isSame = before?.generation === generation && (size === undefined || size >= before.taken);
    const known = isSame ? before : beginOutput(source, generation, before);
    const events = observed.flatMap(({ offset, event }) => (offset > known.taken ? event : []));
    if (known === before && events.length === 0 && known.writtenAt === writtenAt) {
      return { events, steps: [], lines: [], known: { source, facts: known.facts, writtenAt } };
    }

    const steps: Step[] = [];
    const phases: PhaseChange[] = [];
    const lines: LogLine[] = [];
    let { facts } = known;
    for (const event of events) {
      facts = hear(facts, event);
      const attempt = attemptOf({ facts, attemptsBefore: known.attemptsBefore });
      switch (event.kind) {
        case 'batch':
          steps.push(stepOf(event, attempt));
          break;
        case 'phase':
          if (event.t !== null) phases.push({ attempt, epoch: event.epoch, phase: event.phase, at: event.t });
          break;
        case 'classes':
          tables.classes.put(run, classMetricsOf(event, attempt, source));
          break;
        case 'log':
          lines.push({
            at: event.t,
            source,
            line: event.line.slice(0, MAX_LINE_CHARACTERS),
            code: event.code ?? null,
          });
          break;
        case 'start':
        case 'end':
        case 'args':
        case 'epoch':
          break;
      }
    }
    tables.steps.put(run, steps);
    tables.phases.put(run, phases);
    const kept = tables.logLines.put(run, lines);
    const taken = Math.max(known.taken, observed.at(-1)?.offset ?? known.taken);
    outputs.save(run, { ...known, taken, writtenAt, facts });
    return { events, steps, lines: kept, known: { source, facts, writtenAt } };
  };
};

/** What lies before the first start belongs to the attempt that it starts. */
const attemptOf = ({ facts, attemptsBefore }: Pick<StoredOutput, 'facts' | 'attemptsBefore'>): number =>
  Math.max(attemptsBefore + 1, facts.starts);

/** Nothing is taken of it yet. */
const beginOutput = (source: string, generation: string, before: StoredOutput | undefined): StoredOutput => {
  const attemptsBefore = before === undefined ? 0 : attemptOf(before);
  return {
    source,
    generation,
    attemptsBefore,
    taken: -1,
    writtenAt: null,
    facts: { ...NOTHING_SAID, starts: attemptsBefore },
  };
};
