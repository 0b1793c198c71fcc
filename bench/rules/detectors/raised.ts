/** An alert as a person gets it: never of severity `info`, never one that another alert explains. */
export type Raised = {
  readonly rule: string;
  /** Row or second of the scenario. */
  readonly at: number;
  readonly cause: string | null;
  /** Forecast of the time that is left, s. */
  readonly leftS: number | null;
};
