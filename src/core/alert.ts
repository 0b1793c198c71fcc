import { Type } from 'typebox';
import { MomentSchema, nullable, oneOf, type Static } from './schema.ts';

/** Lowest first. `info` is an annotation: it never notifies and is never scored. */
export const SEVERITIES = ['info', 'warning', 'critical'] as const;
export const SeveritySchema = oneOf(SEVERITIES);
export type Severity = Static<typeof SeveritySchema>;

export const ALERT_STATES = ['pending', 'firing', 'resolved'] as const;
export const AlertStateSchema = oneOf(ALERT_STATES);
export type AlertState = Static<typeof AlertStateSchema>;

/** One fact behind an alert, with its unit, and what would have been expected. */
export const EvidenceSchema = Type.Object({
  name: Type.String(),
  value: Type.Union([Type.Number(), Type.String(), Type.Null()]),
  unit: Type.String(),
  expected: Type.Optional(Type.Union([Type.Number(), Type.String(), Type.Null()])),
});
/** See {@link EvidenceSchema}. */
export type Evidence = Static<typeof EvidenceSchema>;

/** Why, as far as the signals say: which speak for it, and which were not available. */
export const CauseSchema = Type.Object({
  code: Type.String(),
  text: Type.String(),
  confidence: Type.Number({ description: '0 to 1' }),
  signals: Type.Array(Type.String()),
  missing: Type.Array(Type.String()),
});
/** See {@link CauseSchema}. */
export type Cause = Static<typeof CauseSchema>;

/** An alert: problem, evidence, cause, fix and, once it is over, result. */
export const AlertSchema = Type.Object(
  {
    id: Type.String(),
    rule: Type.String(),
    severity: SeveritySchema,
    state: AlertStateSchema,
    noDataSince: nullable(MomentSchema),
    subject: Type.String({ description: 'run:ID, gpu:0 or host:NAME' }),
    run: nullable(Type.String()),
    gpu: nullable(Type.String()),
    epochs: nullable(Type.Tuple([Type.Integer(), Type.Integer()])),
    startedAt: MomentSchema,
    firedAt: nullable(MomentSchema),
    resolvedAt: nullable(MomentSchema),
    title: Type.String(),
    problem: Type.String({ description: 'one sentence with the numbers' }),
    evidence: Type.Array(EvidenceSchema),
    cause: nullable(CauseSchema),
    fix: Type.Array(Type.String(), { description: 'ordered steps' }),
    forecastS: nullable(Type.Number({ description: 'seconds until full' })),
    result: nullable(Type.String({ description: 'what it was when it resolved' })),
    count: Type.Integer({ minimum: 1, description: 'grouped re-fires' }),
    inhibitedBy: nullable(Type.String({ description: 'the id of the alert that explains this one' })),
    ackedAt: nullable(MomentSchema),
    silenced: Type.Boolean(),
    backfilled: Type.Boolean({ description: 'found in an old run: never notified' }),
  },
  { $id: 'Alert', description: 'Problem, evidence, cause, fix and result' },
);
/** See {@link AlertSchema}. */
export type Alert = Static<typeof AlertSchema>;

/** One parameter of a rule, as the API and the docs show it. */
export const RuleParameterSchema = Type.Object({
  name: Type.String(),
  unit: Type.String(),
  default: Type.Number(),
  value: Type.Number(),
  minimum: Type.Number(),
  maximum: Type.Number(),
  description: Type.String(),
});

/** A rule as the API and the docs show it. */
export const RuleInfoSchema = Type.Object(
  {
    id: Type.String(),
    title: Type.String(),
    description: Type.String(),
    severity: Type.Array(SeveritySchema, { description: 'the severities that it can reach' }),
    subject: oneOf(['run', 'gpu', 'host']),
    needs: Type.Array(Type.String(), { description: 'epochs, gpu, host, logs, collectors' }),
    parameters: Type.Array(RuleParameterSchema),
  },
  { $id: 'Rule', description: 'A rule with its parameters' },
);
/** See {@link RuleInfoSchema}. */
export type RuleInfo = Static<typeof RuleInfoSchema>;

/** The severer of two. */
export const worse = (a: Severity, b: Severity): Severity => (SEVERITIES.indexOf(a) >= SEVERITIES.indexOf(b) ? a : b);
