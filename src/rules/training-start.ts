/** When a training process, after it has loaded everything, began to train. */
export type TrainingStart = {
  /** Seconds at work, counted until there are enough to say so. */
  workedS: number;
  trainingSince: number | null;
};

const WORKED_S = 10;

export const notStarted = (): TrainingStart => ({ workedS: 0, trainingSince: null });

/** Takes the time that a sample stands for; `working` says that the GPU worked in it. */
export const noteWork = (start: TrainingStart, at: number, elapsedS: number, working: boolean): void => {
  if (start.trainingSince !== null || !working) return;
  start.workedS += elapsedS;
  if (start.workedS >= WORKED_S) start.trainingSince = at;
};
