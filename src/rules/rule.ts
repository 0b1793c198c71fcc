import type { Cause, Evidence, Severity } from '../core/alert.ts';
import type { ObservedProcess, ObservedXid } from '../core/batch.ts';
import type { CollectorHealth } from '../core/collector-health.ts';
import type { EpochRow } from '../core/run.ts';
import type { Values } from '../core/sample.ts';

/** What a rule may know of the run that it judges. */
export type RunContext = {
  readonly id: string;
  readonly name: string;
  readonly epochsPlanned: number | null;
  readonly epochBase: 0 | 1 | null;
  readonly args: Readonly<Record<string, unknown>> | null;
};

/**
 * A known change of regime, found by the engine for all rules: training went on after a break, began anew,
 * closed the mosaic augmentation, or the learning rate jumped up after warm-up.
 */
export type Transition = 'resume' | 'rerun' | 'close_mosaic' | 'lr_jump';

/** One new epoch row of a run. */
export type EpochInput = {
  readonly kind: 'epoch';
  readonly at: number;
  readonly row: EpochRow;
  /** 1-based epoch inside the attempt (resumes count on), whatever the file's base is. */
  readonly index: number;
  readonly transition: Transition | null;
  /** The row is in the shadow of a transition: a rule may note it, not warn. */
  readonly masked: boolean;
  /** Rows since the last transition, 0 at it; null when there was none. */
  readonly sinceTransition: number | null;
  readonly run: RunContext;
};

/** One tick of the clock, about a second, with what was sampled since the last one. */
export type TickInput = {
  readonly kind: 'tick';
  readonly at: number;
  /** Every GPU that belongs to the run, by its subject `gpu:INDEX`; null: which ones, or their samples, are not known. */
  readonly gpus: readonly { readonly gpu: string; readonly values: Values }[] | null;
  readonly host: Values | null;
  /** An epoch row was written since the last tick. */
  readonly rowWritten: boolean;
  readonly run: RunContext;
};

/** One tick of the clock, about a second, for the host that the service runs on. */
export type HostTickInput = {
  readonly kind: 'host';
  readonly at: number;
  /** The host's name. */
  readonly name: string;
  /** Its newest sample; null: there is none, or it is too old. */
  readonly host: Values | null;
};

/** How one collector on that host does, whenever that is told. */
export type CollectorInput = {
  readonly kind: 'collector';
  readonly at: number;
  /** The host's name. */
  readonly name: string;
  readonly collector: CollectorHealth;
};

/** One tick of the clock, about a second, for one GPU. */
export type GpuTickInput = {
  readonly kind: 'gpu';
  readonly at: number;
  /** Today's name of it, such as `gpu:0`. */
  readonly gpu: string;
  /** Its newest sample; null: there is none, it is too old, or it has nothing but null in it, as of a GPU that is lost. */
  readonly values: Values | null;
  /** What ails it as a whole, in the words of its source, such as "GPU is lost"; null: it answers. */
  readonly trouble: string | null;
  /** Another GPU has given a sample of late: what is missing here is not missing everywhere. */
  readonly othersAnswer: boolean;
  /** The processes on it that belong to no run; null: not known. */
  readonly strangers: readonly Stranger[] | null;
  /** What the driver reported of it since the last tick, oldest first. After a restart it may repeat itself. */
  readonly xids: readonly Pick<ObservedXid, 'at' | 'xid' | 'line'>[];
  /** The run that it belongs to now; null: none, more than one, or not known. */
  readonly run: RunContext | null;
};

/** A process on a GPU that belongs to no run. */
export type Stranger = Pick<ObservedProcess, 'pid' | 'user' | 'command' | 'memory'>;

/** What a rule with the subject `run` is given. */
export type RunInput = EpochInput | TickInput;
export type Input = RunInput | HostTickInput | CollectorInput | GpuTickInput;

/** What a rule says of one input. On `between` and `no-data` the engine keeps what it holds. */
export type Verdict =
  | {
      readonly kind: 'breach';
      readonly severity: Severity;
      readonly title: string;
      /** One sentence for a person, with the numbers. */
      readonly problem: string;
      readonly evidence: readonly Evidence[];
      readonly cause: Cause | null;
      /** Ordered steps. */
      readonly fix: readonly string[];
      readonly epochs?: readonly [number, number];
      readonly forecastS?: number;
      readonly gpu?: string;
      /** Takes the place of the track's hold for this evaluation. */
      readonly hold?: Span;
    }
  | { readonly kind: 'clear'; readonly result?: string }
  | { readonly kind: 'between' }
  | { readonly kind: 'no-data'; readonly missing: readonly string[] };

/** A length of the life cycle: so many evaluations in a row, or so long. */
export type Span = { readonly evaluations: number } | { readonly ms: number };

/**
 * Hysteresis in time: fires when a breach held for `hold`, resolves when clear held for `keepFiring`,
 * and does not fire again within `cooldown` of having resolved (evaluations or time, like the others).
 */
export type Track = { readonly hold: Span; readonly keepFiring: Span; readonly cooldown?: Span };

/** One parameter: a number with its unit, default and bounds. The table of a rule is its only source of thresholds. */
export type Parameter = {
  readonly default: number;
  readonly minimum: number;
  readonly maximum: number;
  readonly unit: string;
  readonly description: string;
};

export type Parameters = Readonly<Record<string, Parameter>>;
/** The values in force of a rule's parameters. */
export type ParameterValues<P extends Parameters> = { readonly [K in keyof P]: number };

/**
 * A rule: a declaration and one reducer. No clock, no I/O, no log. The state is plain JSON data and belongs to the
 * reducer alone: `step` may change it in place and return it (the engine never looks back at an older one).
 * A rule may judge several things apart (its tracks: `spike` and `early`); each has a life cycle of its own.
 * A rule for hosts that needs `collectors` has a state and life cycles for each collector.
 */
export type Rule<S, P extends Parameters = Parameters, T extends string = string, I extends Input = RunInput> = {
  readonly id: string;
  readonly title: string;
  readonly description: string;
  readonly severity: readonly Severity[];
  readonly subject: 'run' | 'gpu' | 'host';
  readonly needs: readonly ('epochs' | 'gpu' | 'host' | 'logs' | 'collectors')[];
  readonly parameters: P;
  readonly tracks: Readonly<Record<T, Track>>;
  readonly init: () => S;
  /** A track that is missing in the answer was not evaluated by this input. */
  readonly step: (
    state: S,
    input: I,
    parameters: ParameterValues<P>,
  ) => readonly [S, Readonly<Partial<Record<T, Verdict>>>];
};

/** A rule whose types only the rule itself knows; the engine passes the state through as it got it. */
export type AnyRule = Rule<unknown, Parameters, string, Input>;

/** Declares a rule: checks its types against each other and hides those of its state and input. */
export const defineRule = <S, P extends Parameters, T extends string, I extends Input = RunInput>(
  rule: Rule<S, P, T, I>,
): AnyRule =>
  // The engine gives `step` only states that this rule's own init or step returned (or their JSON), and only inputs
  // of the kind that its subject and needs say.
  rule as unknown as AnyRule;
