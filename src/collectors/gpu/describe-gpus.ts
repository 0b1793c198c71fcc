import type { ObservedGpu } from '../../core/batch.ts';

/** "2 GPUs: NVIDIA A100-PCIE-40GB, Tesla T4 (driver 550.163.01)"; MIG instances are counted behind them. */
export const describeGpus = (listed: readonly ObservedGpu[]): string => {
  const gpus = listed.filter(({ mig }) => !mig);
  const counted = Map.groupBy(gpus, ({ name }) => name ?? 'unnamed');
  const names = [...counted].map(([name, same]) => (same.length === 1 ? name : `${same.length} × ${name}`)).join(', ');
  const driver = gpus.find((gpu) => gpu.driver !== null)?.driver;
  const instances = count(listed.length - gpus.length, 'MIG instance');
  return [`${count(gpus.length, 'GPU')}: ${names}`, driver && ` (driver ${driver})`, instances && `, ${instances}`]
    .filter(Boolean)
    .join('');
};

/** "1 GPU", "2 GPUs"; nothing where there is none. */
const count = (number: number, word: string): string =>
  number === 0 ? '' : `${number} ${word}${number === 1 ? '' : 's'}`;
