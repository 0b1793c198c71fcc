import type { Alert, RuleInfo } from '../core/alert.ts';
import type { CollectorHealth } from '../core/collector-health.ts';
import type { RuleState } from '../core/ports.ts';
import type { EpochRow } from '../core/run.ts';
import { describeRule, parameterValues } from './describe.ts';
import type { AnyRule, GpuTickInput, HostTickInput, RunContext, Span, TickInput } from './rule.ts';
import { adopt, COURSE, readCourse, restoreSeat, saveSeat } from './saved-state.ts';
import { createSeat } from './seat.ts';
import { follow, plannedEpochs } from './transitions.ts';
import {
  type ArmedRule,
  type Court,
  createWatch,
  dismiss,
  dismissStrays,
  inhibit,
  judgeAll,
  openAlertsOf,
  type Watch,
} from './watch.ts';

/** What one tick brings for one run. */
export type RunTick = Omit<TickInput, 'kind' | 'at'>;

/** What one tick brings for the host that we run on. */
export type HostTick = Omit<HostTickInput, 'kind' | 'at'> & {
  /** All collectors; null: nothing was told of them since the last tick. */
  readonly collectors: readonly CollectorHealth[] | null;
};

/** What one tick brings for one GPU. */
export type GpuTick = Omit<GpuTickInput, 'kind' | 'at'> & {
  /** Its name for good: another GPU under the same `gpu:0` is judged anew. */
  readonly uuid: string;
};

/** Judges runs, their GPUs and their host by all rules. Every method returns the alerts that it changed, each once and whole. */
export type Engine = {
  readonly rules: readonly RuleInfo[];
  /** Judges new rows of a run, in order; rows that it has seen are passed over. Each is judged at its own `at`, else at `now`. */
  readonly observeEpochs: (run: RunContext, rows: readonly EpochRow[], now: number) => Alert[];
  /** One tick of the clock for the active runs. */
  readonly tick: (now: number, ticks: readonly RunTick[]) => Alert[];
  /** One tick of the clock for the host. A collector that is not among those told of any more, or a former name of the host, is forgotten. */
  readonly tickHost: (now: number, tick: HostTick) => Alert[];
  /**
   * One tick of the clock for all GPUs of the host. One that is not among them any more is forgotten. Comes before that
   * of the runs: what ails a GPU may explain what ails its run.
   */
  readonly tickGpus: (now: number, ticks: readonly GpuTick[]) => Alert[];
  /** Resolves the open alerts of a run that has ended and forgets what the rules knew of it. */
  readonly endRun: (run: RunContext, now: number) => Alert[];
  /**
   * Judges a run that had ended when first seen, in its own time. Its alerts come resolved; nothing stays behind.
   * Yields after every {@link ROWS_A_TURN} rows, so that years of runs can be judged between other things.
   */
  readonly backfill: (run: RunContext, rows: readonly EpochRow[], endedAt: number) => Generator<undefined, Alert[]>;
  /**
   * The states that must be written now: those that live on rows and took some in, or changed an alert, since
   * the last call; those that live on ticks once a minute. They are live: write them before the next input.
   */
  readonly dirtyStates: (now: number) => RuleState[];
  /** The subjects that {@link Engine.tickHost} and {@link Engine.tickGpus} forgot since the last call: what was written of them may be deleted. */
  readonly takeGone: () => readonly string[];
  /** Goes back to what was written: after a restart, or after a write that failed. A state that does not fit is reported and dropped. */
  readonly restore: (states: readonly RuleState[], openAlerts: readonly Alert[]) => void;
};

/** How often the state of a rule that only ticks feed is written; what came since is judged anew after a restart. */
const SAVE_TICKED_MS = 60_000;
/** Some milliseconds of judging. */
const ROWS_A_TURN = 32;
/** Alerts of rules that watch samples are grouped by time. */
const REGROUP_TICKS: Span = { ms: 600_000 };

/** `newId` names a new alert; `onError` hears once of each rule that threw on a subject. */
export const createEngine = ({ rules, ...court }: { rules: readonly AnyRule[] } & Court): Engine => {
  const armed = rules.map((rule) => ({ rule, parameters: parameterValues(rule) }));
  // Rows are rare, and every rule may want to hear of a resume; ticks come each second.
  const ofRuns = armed.filter(({ rule }) => rule.subject === 'run');
  const onTicks = ofRuns.filter(({ rule }) => rule.needs.some((need) => need === 'gpu' || need === 'host'));
  const ofGpus = armed.filter(({ rule }) => rule.subject === 'gpu');
  const ofHosts = armed.filter((one) => one.rule.subject === 'host' && !isOfCollectors(one));
  const ofCollectors = armed.filter(isOfCollectors);
  const watches = new Map<string, Watch>();
  const gone: string[] = [];

  const watchOf = (subject: string): Watch => {
    const watch = watches.get(subject) ?? createWatch();
    watches.set(subject, watch);
    return watch;
  };

  /** Open alerts of GPUs that belong, or belonged when they began, to this run. */
  const alertsOfGpus = (run: string): readonly Alert[] =>
    [...watches].flatMap(([key, watch]) =>
      key.startsWith('gpu:') ? openAlertsOf(watch).filter((alert) => alert.run === run) : [],
    );

  /** Forgets what begins like this and was not told of. */
  const forgetOthers = (prefix: string, told: ReadonlySet<string>, now: number, result: string): readonly Alert[] => {
    const changed: Alert[] = [];
    for (const [key, watch] of watches) {
      if (!key.startsWith(prefix) || told.has(key)) continue;
      changed.push(...dismiss(watch, now, result));
      watches.delete(key);
      gone.push(key);
    }
    return changed;
  };

  const judgeRow = (
    watch: Watch,
    run: RunContext,
    row: EpochRow,
    at: number,
    elsewhere?: () => readonly Alert[],
  ): readonly Alert[] => {
    const step = follow(watch.course, row, run);
    if (!step) return [];
    watch.course = step.course;
    watch.courseDirty = true;
    const dismissed = step.seen.transition === 'rerun' ? dismiss(watch, at, 'the run began anew') : [];
    const regroup = { evaluations: Math.max(10, 0.1 * (plannedEpochs(run) ?? 0)) };
    return [
      ...dismissed,
      ...judgeAll(watch, ofRuns, { kind: 'epoch', at, row, run, ...step.seen }, regroup, court, elsewhere),
    ];
  };

  return {
    rules: rules.map(describeRule),

    observeEpochs: (run, rows, now) => {
      const watch = watchOf(`run:${run.id}`);
      return newest(rows.flatMap((row) => judgeRow(watch, run, row, row.at ?? now, () => alertsOfGpus(run.id))));
    },

    tick: (now, ticks) =>
      newest(
        ticks.flatMap((tick) =>
          judgeAll(
            watchOf(`run:${tick.run.id}`),
            onTicks,
            { kind: 'tick', at: now, ...tick },
            REGROUP_TICKS,
            court,
            () => alertsOfGpus(tick.run.id),
          ),
        ),
      ),

    tickHost: (now, { name, host, collectors }) => {
      const subject = `host:${name}`;
      const whole = watchOf(subject);
      const changed = [
        ...dismissStrays(whole, now, 'its rule knows nothing of it any more'),
        ...judgeAll(whole, ofHosts, { kind: 'host', at: now, name, host }, REGROUP_TICKS, court),
      ];
      if (collectors === null) return newest(changed);
      const told = new Set([subject]);
      for (const collector of collectors) {
        const key = `${subject} ${collector.name}`;
        told.add(key);
        const input = { kind: 'collector', at: now, name, collector } as const;
        changed.push(...judgeAll(watchOf(key), ofCollectors, input, REGROUP_TICKS, court));
      }
      return newest([...changed, ...forgetOthers('host:', told, now, 'nothing is collected there any more')]);
    },

    tickGpus: (now, ticks) => {
      const told = new Set<string>();
      const changed = ticks.flatMap(({ uuid, ...tick }) => {
        const key = `${tick.gpu} ${uuid}`;
        told.add(key);
        return judgeAll(watchOf(key), ofGpus, { kind: 'gpu', at: now, ...tick }, REGROUP_TICKS, court);
      });
      changed.push(...forgetOthers('gpu:', told, now, 'the GPU is not there any more'));
      const runs = new Set(changed.flatMap(({ run }) => run ?? []));
      const explained = [...runs].flatMap((run) => {
        const watch = watches.get(`run:${run}`);
        return watch ? inhibit(watch, alertsOfGpus(run)) : [];
      });
      return newest([...changed, ...explained]);
    },

    endRun: (run, now) => {
      const watch = watches.get(`run:${run.id}`);
      watches.delete(`run:${run.id}`);
      return watch ? newest(dismiss(watch, now, 'the run ended')) : [];
    },

    *backfill(run, rows, endedAt) {
      const watch = createWatch();
      const changed: Alert[] = [];
      for (const [index, row] of rows.entries()) {
        if (index > 0 && index % ROWS_A_TURN === 0) yield;
        changed.push(...judgeRow(watch, run, row, row.at ?? endedAt));
      }
      return newest([...changed, ...dismiss(watch, endedAt, 'the run ended')])
        .filter((alert) => alert.firedAt !== null)
        .map((alert) => ({ ...alert, backfilled: true }));
    },

    dirtyStates: (now) => [...watches].flatMap(([subject, watch]) => dirtyOf(watch, subject, now)),

    takeGone: () => gone.splice(0),

    restore: (states, openAlerts) => {
      watches.clear();
      gone.length = 0;
      const open = new Map(openAlerts.map((alert) => [alert.id, alert]));
      for (const saved of states) {
        const watch = watchOf(saved.subject);
        try {
          if (saved.rule === COURSE) {
            watch.course = readCourse(saved.state);
            continue;
          }
          const known = armed.find(({ rule }) => rule.id === saved.rule);
          if (!known) throw new Error(`saved state of ${saved.rule}: there is no such rule`);
          const seat = createSeat(known.rule, known.parameters, saved.seenAt);
          restoreSeat(seat, saved, open);
          watch.seats.set(saved.rule, seat);
        } catch (error) {
          court.onError(saved.rule, saved.subject, error);
        }
      }
      const held = new Set([...watches.values()].flatMap(openAlertsOf).map(({ id }) => id));
      for (const alert of openAlerts) {
        if (held.has(alert.id)) continue;
        const watch = watchOf(alert.subject);
        // An alert does not say which collector it is about, nor the UUID of its GPU: the next tick ends it.
        const known = armed.find((one) => one.rule.id === alert.rule && !isOfCollectors(one));
        const seat =
          known && (watch.seats.get(alert.rule) ?? createSeat(known.rule, known.parameters, alert.startedAt));
        if (seat) watch.seats.set(alert.rule, seat);
        if (!seat || !adopt(seat, alert)) watch.strays.push(alert);
      }
    },
  };
};

/** Whether a rule judges each collector by itself. */
const isOfCollectors = ({ rule }: ArmedRule): boolean => rule.needs.includes('collectors');

/** The last word on each alert, in the order in which they first came up. */
const newest = (alerts: readonly Alert[]): Alert[] => [...new Map(alerts.map((alert) => [alert.id, alert])).values()];

const dirtyOf = (watch: Watch, subject: string, now: number): readonly RuleState[] => {
  const states: RuleState[] = [];
  if (watch.courseDirty && watch.course) {
    states.push({ rule: COURSE, subject, seenAt: now, state: watch.course });
    watch.courseDirty = false;
  }
  for (const seat of watch.seats.values()) {
    if (!seat.dirty && (seat.seenAt <= seat.savedAt || now - seat.savedAt < SAVE_TICKED_MS)) continue;
    seat.dirty = false;
    seat.savedAt = now;
    states.push(saveSeat(seat, subject));
  }
  return states;
};
