import type { Random } from '../random.ts';
import type { Label } from '../scenario.ts';
import type { Losses, Training } from './training.ts';

/** One epoch in the making: losses, and metrics from 0 to 1. */
export type Draft = {
  readonly train: Losses;
  readonly val: Losses;
  map50: number;
  map95: number;
  precision: number;
  recall: number;
};

/** Autocorrelated noise of a quantity of its own. */
export type Noise = (quantity: string, deviation: number) => number;

/** What a disturbance may need to know of the epoch that it alters. */
export type Moment = {
  readonly epoch: number;
  readonly random: Random;
  readonly noise: Noise;
  /** mAP without its noise, that noise, and its scale. */
  readonly mapCurve: number;
  readonly mapNoise: number;
  readonly mapScale: number;
  /** mAP50-95 as a share of mAP50. */
  readonly strictShare: number;
  /** Where an early jump would be. */
  readonly jumpAt: number;
};

/** What happens to a training, harmless or not. What is left out stays as it would be. */
export type Disturbance = {
  readonly labels?: readonly Label[];
  /** Share of `lr0`, without warm-up. */
  readonly schedule?: (epoch: number) => number;
  /** `usual` tells the rates of any epoch. */
  readonly rates?: (epoch: number, usual: (epoch: number) => readonly number[]) => readonly number[];
  /** Where on their curves the losses and mAP are. */
  readonly lossEpoch?: (epoch: number) => number;
  readonly mapEpoch?: (epoch: number) => number;
  /** How much of their fall the losses have left, 1 to 0. */
  readonly left?: (epoch: number) => number;
  readonly map?: (noise: Noise) => number;
  readonly mapScale?: (epoch: number, usual: number) => number;
  /** Share of the learning rate that the noise of mAP follows instead of the true one. */
  readonly mapNoiseRate?: number;
  /** Added to mAP. */
  readonly swing?: (epoch: number) => number;
  /** The validation loss has no bump in its first epochs. */
  readonly noValBump?: true;
  readonly alter?: (draft: Draft, moment: Moment) => void;
  /** Seconds of an epoch. */
  readonly seconds?: (epoch: number, usual: number, random: Random) => number;
  /** Another process goes on from this epoch: its clock starts at 0. */
  readonly resumesAt?: number;
};

/** A kind that harms nothing. */
export type CleanKind = (random: Random, training: Training) => Disturbance;
/** A fault; `usualStart` is the epoch at which it begins unless it has a reason for another one. */
export type FaultKind = (random: Random, training: Training, usualStart: number) => Disturbance;

/** Multiplies all components. */
export const scale = (losses: Losses, factor: () => number): void => {
  losses.box *= factor();
  losses.cls *= factor();
  losses.dfl *= factor();
};
