import { type Alert, SEVERITIES, type Severity } from '../core/alert.ts';
import type { Span, Track, Verdict } from './rule.ts';
import { duration, epochRange } from './wording.ts';

/** What is remembered of one track of one rule on one subject. Plain JSON. */
export type Life = {
  /** The alert that is pending or firing. */
  readonly open: Alert | null;
  /** The last one that resolved after having fired, which may open again, and the evaluations since. */
  readonly last: { readonly alert: Alert; readonly evaluations: number } | null;
  /** Breaches in a row while nothing fires, clears in a row while something does. */
  readonly streak: Streak;
};

type Streak = {
  readonly evaluations: number;
  /** The time that they cover; it stands still while the verdict is `between` or `no-data`. */
  readonly ms: number;
  readonly startedAt: number | null;
  readonly lastAt: number | null;
};

/** Who the alert is about, when the evaluation is, and how it is timed. */
export type Setting = {
  readonly at: number;
  readonly track: Track;
  /** A re-fire this soon after having resolved opens the same alert again. */
  readonly regroup: Span;
  readonly rule: string;
  readonly subject: string;
  readonly run: string | null;
  readonly gpu: string | null;
  readonly newId: () => string;
};

/** The life after one evaluation, and the alert if it changed. */
export type Advance = { readonly life: Life; readonly changed: Alert | null };

type Breach = Extract<Verdict, { kind: 'breach' }>;

const NO_STREAK: Streak = { evaluations: 0, ms: 0, startedAt: null, lastAt: null };

/** Nothing open, nothing remembered. */
export const UNBORN: Life = { open: null, last: null, streak: NO_STREAK };

/**
 * Hysteresis in time, once for all rules: pending → firing → resolved.
 * - A breach whose hold is satisfied at once fires without having been pending.
 * - Pending that clears again is returned once as resolved with `firedAt` null, so that no pending alert stays behind.
 *   While the last alert may still open again, a breach that has yet to hold makes no pending alert.
 * - Severity only rises; a severer breach takes over title, problem, evidence, cause and fix. So does a new forecast.
 * - `between` and `no-data` change nothing but `noDataSince`: neither counts for or against.
 */
export const advance = (before: Life, verdict: Verdict, setting: Setting): Advance => {
  const life = before.last ? { ...before, last: { ...before.last, evaluations: before.last.evaluations + 1 } } : before;
  const firing = life.open?.state === 'firing' ? life.open : null;
  switch (verdict.kind) {
    case 'breach':
      return firing ? continueFiring(life, firing, verdict) : gather(life, verdict, setting);
    case 'clear':
      return firing ? calm(life, firing, verdict.result, setting) : giveUp(life, setting.at);
    case 'between':
      return markData(pause(life), null);
    case 'no-data':
      return markData(pause(life), setting.at);
  }
};

/** Resolves what is open, for a reason outside the rule: the run ended or began anew. */
export const resolveNow = (life: Life, at: number, result: string): Advance => {
  if (!life.open) return { life, changed: null };
  if (life.open.state === 'pending') return giveUp(life, at);
  return resolve(life, life.open, at, result);
};

/** Stops the clock of the streak until the next verdict that counts: the time until then is not known to belong to it. */
export const pause = (life: Life): Life =>
  life.streak.lastAt === null ? life : { ...life, streak: { ...life.streak, lastAt: null } };

const continueFiring = (life: Life, alert: Alert, breach: Breach): Advance => {
  // A forecast grows old: the newest one counts.
  const renewed = (breach.forecastS ?? 0) > 0;
  const next = { ...(renewed || rank(breach) > rank(alert) ? take(alert, breach) : alert), noDataSince: null };
  const widened = { ...next, epochs: widen(alert.epochs, breach.epochs) };
  return settle({ ...life, streak: NO_STREAK }, alert, widened);
};

const gather = (life: Life, breach: Breach, setting: Setting): Advance => {
  const streak = extend(life.streak, setting.at);
  const held = satisfied(breach.hold ?? setting.track.hold, streak);
  const rested = !life.last || !isWithin(setting.track.cooldown ?? { evaluations: 0 }, life.last, setting.at);
  const groupable = life.last !== null && isWithin(setting.regroup, life.last, setting.at);
  if (held && rested) return fire(life, breach, setting, streak, groupable);
  if (groupable && !life.open) return { life: { ...life, streak }, changed: null };
  const pending = life.open ? { ...life.open, noDataSince: null } : born(breach, setting, streak);
  return settle({ ...life, streak }, life.open, {
    ...(rank(breach) > rank(pending) ? take(pending, breach) : pending),
    epochs: widen(pending.epochs, breach.epochs),
  });
};

const fire = (life: Life, breach: Breach, setting: Setting, streak: Streak, groupable: boolean): Advance => {
  const after = { open: null, last: null, streak: NO_STREAK };
  if (life.last && groupable && !life.open) {
    const { alert } = life.last;
    const text = rank(breach) >= rank(alert) ? take(alert, breach) : alert;
    return settle(after, null, {
      ...text,
      state: 'firing',
      resolvedAt: null,
      result: null,
      inhibitedBy: null,
      epochs: widen(alert.epochs, breach.epochs),
      count: alert.count + 1,
    });
  }
  const alert = life.open ?? born(breach, setting, streak);
  return settle(after, null, {
    ...take(alert, breach),
    state: 'firing',
    firedAt: setting.at,
    noDataSince: null,
    epochs: widen(alert.epochs, breach.epochs),
  });
};

const calm = (life: Life, alert: Alert, result: string | undefined, { at, track }: Setting): Advance => {
  const streak = extend(life.streak, at);
  if (satisfied(track.keepFiring, streak)) return resolve(life, alert, at, result ?? summary(alert, at));
  return settle({ ...life, streak }, alert, { ...alert, noDataSince: null });
};

const resolve = (life: Life, open: Alert, at: number, result: string): Advance => {
  const alert: Alert = { ...open, state: 'resolved', resolvedAt: at, noDataSince: null, result };
  return { life: { ...life, open: null, last: { alert, evaluations: 0 }, streak: NO_STREAK }, changed: alert };
};

const giveUp = (life: Life, at: number): Advance => ({
  life: { ...life, open: null, streak: NO_STREAK },
  changed: life.open && {
    ...life.open,
    state: 'resolved',
    resolvedAt: at,
    noDataSince: null,
    result: 'went away before it fired',
  },
});

const markData = (life: Life, missingAt: number | null): Advance => {
  if (!life.open) return { life, changed: null };
  const noDataSince = missingAt === null ? null : (life.open.noDataSince ?? missingAt);
  return settle(life, life.open, { ...life.open, noDataSince });
};

/** Takes the alert in, and says whether it is another one than before. */
const settle = (life: Life, before: Alert | null, alert: Alert): Advance => {
  const same =
    before !== null &&
    before.state === alert.state &&
    before.severity === alert.severity &&
    before.noDataSince === alert.noDataSince &&
    before.forecastS === alert.forecastS &&
    before.epochs?.[0] === alert.epochs?.[0] &&
    before.epochs?.[1] === alert.epochs?.[1];
  return { life: { ...life, open: same ? before : alert }, changed: same ? null : alert };
};

const born = (breach: Breach, setting: Setting, streak: Streak): Alert => ({
  id: setting.newId(),
  rule: setting.rule,
  state: 'pending',
  noDataSince: null,
  subject: setting.subject,
  run: setting.run,
  epochs: null,
  startedAt: streak.startedAt ?? setting.at,
  firedAt: null,
  resolvedAt: null,
  result: null,
  count: 1,
  inhibitedBy: null,
  ackedAt: null,
  silenced: false,
  backfilled: false,
  ...said(breach, breach.severity),
  gpu: breach.gpu ?? setting.gpu,
});

/** What the breach says, in the words of an alert. */
const said = (breach: Breach, severity: Severity) => ({
  severity,
  title: breach.title,
  problem: breach.problem,
  evidence: [...breach.evidence],
  cause: breach.cause,
  fix: [...breach.fix],
  forecastS: breach.forecastS ?? null,
});

const take = (alert: Alert, breach: Breach): Alert => ({
  ...alert,
  ...said(breach, rank(breach) > rank(alert) ? breach.severity : alert.severity),
  gpu: breach.gpu ?? alert.gpu,
});

const rank = ({ severity }: { readonly severity: Severity }): number => SEVERITIES.indexOf(severity);

const widen = (known: Alert['epochs'], more: readonly [number, number] | undefined): Alert['epochs'] => {
  if (!more) return known;
  return known ? [Math.min(known[0], more[0]), Math.max(known[1], more[1])] : [more[0], more[1]];
};

const extend = (streak: Streak, at: number): Streak => ({
  evaluations: streak.evaluations + 1,
  ms: streak.ms + (streak.lastAt === null ? 0 : Math.max(0, at - streak.lastAt)),
  startedAt: streak.startedAt ?? at,
  lastAt: at,
});

const satisfied = (span: Span, streak: Streak): boolean =>
  'ms' in span ? streak.ms >= span.ms : streak.evaluations >= span.evaluations;

const isWithin = (span: Span, last: NonNullable<Life['last']>, at: number): boolean =>
  'ms' in span ? at - (last.alert.resolvedAt ?? at) <= span.ms : last.evaluations <= span.evaluations;

const summary = (alert: Alert, at: number): string => {
  const lasted = `over after ${duration(at - (alert.firedAt ?? alert.startedAt))}`;
  return alert.epochs ? `${lasted} (${epochRange(alert.epochs)})` : lasted;
};
