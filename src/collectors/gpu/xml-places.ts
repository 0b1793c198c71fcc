import type { GpuMetric } from '../../core/metrics.ts';

/**
 * Where each metric stands in `nvidia-smi -q -x`, over the element generations of drivers 352 to 595; the first number
 * counts. What is there decides, not the DTD's version: drivers of one DTD differ. `a + b` is a sum: newer drivers
 * split what older ones gave as one total. `throttle` is not here, it is a list of words: see the parser.
 */
export const PLACES: Readonly<Partial<Record<GpuMetric, readonly string[]>>> = {
  utilization: ['utilization.gpu_util'],
  memoryUtilization: ['utilization.memory_util'],
  memoryUsed: ['fb_memory_usage.used'],
  memoryTotal: ['fb_memory_usage.total'],
  memoryReserved: ['fb_memory_usage.reserved'],
  power: [
    'gpu_power_readings.power_draw',
    'gpu_power_readings.average_power_draw',
    'gpu_power_readings.instant_power_draw',
    'power_readings.power_draw',
  ],
  powerLimit: [
    'gpu_power_readings.current_power_limit',
    'power_readings.enforced_power_limit',
    'power_readings.power_limit',
  ],
  temperature: ['temperature.gpu_temp'],
  memoryTemperature: ['temperature.memory_temp'],
  clockSm: ['clocks.sm_clock'],
  clockMem: ['clocks.mem_clock'],
  pcieRx: ['pci.rx_util'],
  pcieTx: ['pci.tx_util'],
  fan: ['fan_speed'],
  pcieReplays: ['pci.replay_counter'],
  eccErrors: [
    'ecc_errors.volatile.double_bit.total',
    'ecc_errors.volatile.sram_uncorrectable_parity + ecc_errors.volatile.sram_uncorrectable_secded + ecc_errors.volatile.dram_uncorrectable',
    'ecc_errors.volatile.sram_uncorrectable + ecc_errors.volatile.dram_uncorrectable',
  ],
  eccCorrected: [
    'ecc_errors.volatile.single_bit.total',
    'ecc_errors.volatile.sram_correctable + ecc_errors.volatile.dram_correctable',
  ],
  rowRemapPending: ['remapped_rows.remapped_row_pending'],
  rowRemapFailed: ['remapped_rows.remapped_row_failure'],
};

/** The elements of the throttle reasons, with a word for each bit; the second is that of drivers before 535. */
export const THROTTLE_WORDS = ['clocks_event_reason', 'clocks_throttle_reason'] as const;

/** The metrics that no element holds, with the reason for a person. */
export const NOT_IN_XML: Readonly<Partial<Record<GpuMetric, string>>> = {
  utilizationMin: "only NVML gives the driver's ring of samples",
  utilizationMean: "only NVML gives the driver's ring of samples",
  energy: 'only NVML gives it',
};

/** What a MIG instance has of its own; everything else is the whole GPU's. */
export const PLACES_OF_MIG = ['memoryUsed', 'memoryTotal', 'memoryReserved'] as const satisfies readonly GpuMetric[];
