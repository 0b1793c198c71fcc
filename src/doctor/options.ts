import type { Clock } from '../core/clock.ts';

/** Of the settings of `serve` those that a check is about. */
export type DoctorSettings = {
  readonly watch: readonly string[];
  readonly db: string;
  readonly host: string;
  readonly port: number;
  readonly gpu: 'auto' | 'nvml' | 'nvidia-smi' | 'off';
  readonly nvidiaSmi: string | null;
  readonly nvml: string | null;
  readonly gpuInterval: number;
  readonly token: string | null;
  readonly tokenFile: string | null;
};

export type DoctorOptions = {
  readonly settings: DoctorSettings;
  readonly isLoopback: boolean;
  /** The folder of our package.json and migrations. */
  readonly root: string;
  readonly version: string;
  readonly platform: NodeJS.Platform;
  readonly arch: string;
  /** The kernel's name and version, for the report. */
  readonly system: string;
  readonly nodeVersion: string;
  /** null: this system has no such numbers. */
  readonly uid: number | null;
  readonly environment: NodeJS.ProcessEnv;
  readonly clock: Clock;
  /** How long to wait for each kind of look, ms. */
  readonly limits: Limits;
  /** Hears what is being waited for, each time that it changes. */
  readonly onWait: (waitingFor: readonly string[]) => void;
};

/**
 * `call`: one call of the driver, which takes up to 20 s where it first has to start a GPU. `program`: one start of
 * nvidia-smi, which starts all of them. `walk`: the search for runs.
 */
export type Limits = {
  readonly call: number;
  readonly program: number;
  readonly walk: number;
  readonly other: number;
};
export const LIMITS: Limits = { call: 20_000, program: 45_000, walk: 10_000, other: 10_000 };
