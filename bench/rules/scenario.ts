import type { RunEvent } from '../../src/core/trace.ts';

/** One second of one GPU or of the host as a trace tells it (contract, section 6): `t`, `kind` and values by metric. */
export type SampleEvent = {
  readonly t: number;
  readonly kind: 'gpu' | 'host';
  readonly throttle?: readonly string[];
  readonly [metric: string]: number | string | readonly string[] | undefined;
};

/** A line of a trace. */
export type TraceEvent = RunEvent | SampleEvent;

/** What a scenario's positions count: epoch rows, or seconds. */
export type Scale = 'rows' | 'seconds';

/** Which scenario: `kind` is one of its scale's kinds. */
export type Wanted = { readonly scale: Scale; readonly kind: string; readonly seed: number };

/**
 * What is true of a scenario and a rule should say (RULES 7): positions are rows (1-based) or seconds from the start.
 * An alert that comes after `deadline` is late. Not `required`: too weak to ask for, or a side effect of the fault.
 */
export type Label = {
  readonly rule: string;
  readonly start: number;
  readonly end: number;
  readonly deadline: number;
  readonly required: boolean;
  readonly cause?: string;
  /** How strong the fault was made, in the unit of its kind; recall is told for each. */
  readonly grade?: number;
  /** When what runs out would be gone, in seconds. */
  readonly emptyAt?: number;
};

/** A generated training with its truth. `trace` has rising `t`, in ms from the start. */
export type Scenario = {
  readonly scale: Scale;
  readonly kind: string;
  readonly seed: number;
  readonly clean: boolean;
  /** Rows, or seconds. */
  readonly length: number;
  readonly trace: readonly TraceEvent[];
  readonly labels: readonly Label[];
};
