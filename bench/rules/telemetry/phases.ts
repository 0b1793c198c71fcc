import type { Random } from '../random.ts';
import type { Machine } from './machine.ts';
import type { Moment, TrainingPhase } from './second.ts';

/** Where a training is in its epochs. `advance` takes it one second further; `row`: an epoch row is written. */
export type Phases = {
  readonly phase: () => TrainingPhase;
  /** From 0. */
  readonly epoch: () => number;
  /** `pace`: share of a second's work that gets done. `restarted`: another process goes on. */
  readonly advance: (t: number, pace: number) => { readonly row: boolean; readonly restarted: boolean };
  /** When the training of this epoch began, s. */
  readonly epochBeganAt: () => number;
};

/** start → train → val → eval → save → between → train …, with what a kind does to that order. */
export const createPhases = (random: Random, machine: Machine, kind: string): Phases => {
  const { uniform } = random;
  const jitter = () => (kind === 'var_epochs' ? uniform(0.75, 1.3) : uniform(0.97, 1.03));
  let phase: TrainingPhase = 'start';
  let epoch = 0;
  let epochBeganAt = 0;
  let left = uniform(20, 70);
  /** The epoch whose losses become NaN: it is repeated and writes no row. */
  let repeats = kind === 'nan_recovery' ? Math.floor(uniform(3, 6)) : null;
  const resumesAt = kind === 'resume_restart' ? Math.floor(uniform(0.4, 0.7) * machine.durationS) : null;
  let mosaicClosesAt = kind === 'mosaic_restart' ? Math.floor(uniform(0.5, 0.8) * machine.durationS) : null;

  const enter = (next: TrainingPhase, lengthS: number) => {
    phase = next;
    left = lengthS;
  };
  const train = (t: number) => {
    enter('train', machine.trainS * jitter());
    epochBeganAt = t;
  };

  /** True: a row is written. */
  const leave = (t: number): boolean => {
    switch (phase) {
      case 'start':
        train(t);
        return false;
      case 'train':
        enter('val', machine.valS * uniform(0.95, 1.05) * (1 + 0.8 * Math.exp(-epoch / 2)));
        return false;
      case 'val':
        enter('eval', machine.evalS * uniform(0.8, 1.2));
        return false;
      case 'eval':
        if (epoch === repeats) {
          repeats = null;
          epoch--;
          enter('between', machine.pauseS + 3);
          return false;
        }
        enter('save', epoch % machine.saveEvery === 0 ? machine.saveS * uniform(0.7, 1.3) : 0.3);
        return true;
      case 'save':
        enter('between', machine.pauseS * uniform(0.6, 1.4));
        if (mosaicClosesAt !== null && t > mosaicClosesAt) {
          // The loader is built anew, without mosaic.
          left += uniform(5, 14);
          mosaicClosesAt = null;
        }
        return false;
      case 'between':
        epoch++;
        train(t);
        return false;
    }
  };

  return {
    phase: () => phase,
    epoch: () => epoch,
    epochBeganAt: () => epochBeganAt,
    advance: (t, pace) => {
      left -= pace;
      const restarted = t === resumesAt;
      if (restarted) enter('start', uniform(30, 90));
      return { row: left <= 0 && leave(t), restarted };
    },
  };
};

/** The moment that the hooks of a course are told. */
export const momentOf = (phases: Phases, t: number, inFault: boolean): Moment => ({
  t,
  phase: phases.phase(),
  epoch: phases.epoch(),
  inFault,
});
