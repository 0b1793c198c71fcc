import { performance } from 'node:perf_hooks';
import type { Alert } from '../../../src/core/alert.ts';
import { THROTTLE_BITS } from '../../../src/core/metrics.ts';
import type { Values } from '../../../src/core/sample.ts';
import { createEngine, type Engine } from '../../../src/rules/engine.ts';
import { RULES } from '../../../src/rules/registry.ts';
import type { RunContext } from '../../../src/rules/rule.ts';
import { saidArgs } from '../../../src/said-rows.ts';
import { createRowReader, STARTED_AT } from '../rows.ts';
import type { SampleEvent, Scenario, TraceEvent } from '../scenario.ts';
import type { Raised } from './raised.ts';

/** What our rules raise on a scenario, and what the judging cost: ms a round (a row, or a second's tick), mean. */
export type Played = { readonly raised: readonly Raised[]; readonly rounds: number; readonly judgingMs: number };

/** Whether the product has the rule at all. */
export const isOurs = (rule: string): boolean => RULES.some(({ id }) => id === rule);

/**
 * Plays a trace through the engine with its shipped parameters, as the pipeline does: a row is judged when it comes, and
 * once a second the clock ticks with the newest samples. Phases are passed over: the engine takes none.
 */
export const playOurs = ({ scale, trace, length }: Scenario): Played => {
  const engine = createEngine({ rules: RULES, newId: createIds(), onError: fail });
  const listener = createListener();
  const run = contextOf(trace);
  const readRow = createRowReader();
  let rows = 0;
  let rounds = 0;
  let judgingMs = 0;
  const judge = (position: number, work: () => readonly Alert[]) => {
    const before = performance.now();
    const changed = work();
    judgingMs += performance.now() - before;
    rounds++;
    listener.hear(changed, position);
  };

  if (scale === 'rows') {
    for (const event of trace) {
      if (event.kind !== 'epoch') continue;
      const row = readRow(event);
      rows++;
      judge(rows, () => engine.observeEpochs(run, [row], row.at ?? STARTED_AT));
    }
    return { raised: listener.raised(), rounds, judgingMs };
  }

  const latest = createLatest();
  let next = 0;
  for (let second = 0; second < length; second++) {
    const now = STARTED_AT + 1000 * second;
    let rowWritten = false;
    for (let event = trace[next]; event && (event.t ?? 0) <= 1000 * second; event = trace[++next]) {
      if (event.kind === 'gpu' || event.kind === 'host') latest.keep(event);
      if (event.kind !== 'epoch') continue;
      rowWritten = true;
      const row = readRow(event);
      judge(second, () => engine.observeEpochs(run, [row], now));
    }
    judge(second, () => tick(engine, run, now, latest, rowWritten));
  }
  return { raised: listener.raised(), rounds, judgingMs };
};

const tick = (engine: Engine, run: RunContext, now: number, latest: Latest, rowWritten: boolean): readonly Alert[] => {
  const gpu = latest.at('gpu', now);
  const host = latest.at('host', now);
  const ofGpu = { gpu: 'gpu:0', uuid: 'GPU-0', trouble: null, othersAnswer: false, strangers: null, xids: [], run };
  return [
    ...engine.tickGpus(now, [{ ...ofGpu, values: gpu }]),
    ...engine.tick(now, [{ run, gpus: gpu && [{ gpu: 'gpu:0', values: gpu }], host, rowWritten }]),
    ...engine.tickHost(now, { name: 'trainer', host, collectors: null }),
  ];
};

const contextOf = (trace: readonly TraceEvent[]): RunContext => {
  const args = saidArgs(trace.flatMap((event) => (event.kind === 'args' ? [event] : [])));
  const planned = args?.epochs;
  return { id: 'run', name: 'train', epochsPlanned: typeof planned === 'number' ? planned : null, epochBase: 1, args };
};

const createIds = (): (() => string) => {
  let id = 0;
  return () => `${++id}`;
};

const fail = (rule: string, _subject: string, error: unknown): never => {
  throw new Error(`${rule} threw`, { cause: error });
};

/** The newest sample of each kind, unless it is older than five periods, as in the pipeline. */
type Latest = {
  readonly keep: (event: SampleEvent) => void;
  readonly at: (kind: SampleEvent['kind'], now: number) => Values | null;
};

const STALE_MS = 5000;

const createLatest = (): Latest => {
  const samples = new Map<SampleEvent['kind'], { readonly at: number; readonly values: Values }>();
  return {
    keep: (event) => {
      samples.set(event.kind, { at: STARTED_AT + event.t, values: valuesOf(event) });
    },
    at: (kind, now) => {
      const sample = samples.get(kind);
      return sample && now - sample.at <= STALE_MS ? sample.values : null;
    },
  };
};

const BITS: ReadonlyMap<string, number> = new Map(Object.entries(THROTTLE_BITS));

const valuesOf = ({ t: _t, throttle, ...metrics }: SampleEvent): Values => {
  const values: Record<string, number | null> = {};
  for (const [name, value] of Object.entries(metrics)) if (typeof value === 'number') values[name] = value;
  if (throttle) values.throttle = throttle.reduce((bits, reason) => bits | (BITS.get(reason) ?? 0), 0);
  return values;
};

/** Turns changes of alerts into what is raised: each firing once, when a person would first be told of it. */
const createListener = () => {
  const told = new Set<string>();
  const raised: Raised[] = [];
  return {
    raised: () => raised,
    hear: (changed: readonly Alert[], at: number) => {
      for (const { id, rule, state, severity, inhibitedBy, cause, forecastS } of changed) {
        if (state !== 'firing') told.delete(id);
        else if (severity !== 'info' && inhibitedBy === null && !told.has(id)) {
          told.add(id);
          raised.push({ rule, at, cause: cause?.code ?? null, leftS: forecastS });
        }
      }
    },
  };
};
