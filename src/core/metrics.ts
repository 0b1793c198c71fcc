/**
 * The catalogue of sampled metrics: what each is called, in which unit, and on which kind of subject.
 * The hot tables have one column per entry; a test holds the two together.
 */
export type MetricUnit = '%' | 'bytes' | 'bytes/s' | 'W' | 'J' | '°C' | 'MHz' | 'ms' | '' | 'bits';

/**
 * One sampled metric. `counter` says that it only grows, so a rate is what a person wants to see; `percentiles` (of
 * percents only) that its percentiles outlive the raw samples.
 */
export type Metric = {
  readonly unit: MetricUnit;
  readonly title: string;
  readonly counter?: true;
  readonly percentiles?: true;
};

/** GPU metrics, keyed as in the API; `throttle` is stored as NVML's bit mask (see {@link throttleReasons}). */
export const GPU_METRICS = {
  utilization: { unit: '%', title: 'GPU utilization', percentiles: true },
  utilizationMin: { unit: '%', title: 'Lowest GPU utilization since the sample before (driver ring)' },
  utilizationMean: { unit: '%', title: 'Mean GPU utilization since the sample before (driver ring)' },
  memoryUtilization: { unit: '%', title: 'Memory bus utilization' },
  memoryUsed: { unit: 'bytes', title: 'Memory used' },
  memoryTotal: { unit: 'bytes', title: 'Memory' },
  memoryReserved: { unit: 'bytes', title: 'Memory reserved by the driver' },
  power: { unit: 'W', title: 'Power' },
  powerLimit: { unit: 'W', title: 'Power limit' },
  temperature: { unit: '°C', title: 'Temperature' },
  memoryTemperature: { unit: '°C', title: 'Memory temperature' },
  clockSm: { unit: 'MHz', title: 'SM clock' },
  clockMem: { unit: 'MHz', title: 'Memory clock' },
  pcieRx: { unit: 'bytes/s', title: 'PCIe received' },
  pcieTx: { unit: 'bytes/s', title: 'PCIe sent' },
  throttle: { unit: 'bits', title: 'Throttle reasons' },
  fan: { unit: '%', title: 'Fan' },
  energy: { unit: 'J', title: 'Energy since driver load', counter: true },
  pcieReplays: { unit: '', title: 'PCIe replays', counter: true },
  eccErrors: { unit: '', title: 'Uncorrected ECC errors', counter: true },
  eccCorrected: { unit: '', title: 'Corrected ECC errors', counter: true },
  rowRemapPending: { unit: '', title: 'Rows to be remapped at the next reset (1: yes)' },
  rowRemapFailed: { unit: '', title: 'Row remapping has failed (1: yes)' },
  xid: { unit: '', title: 'Last XID' },
  runMemory: { unit: 'bytes', title: "Memory held by the run's own processes" },
} as const satisfies Record<string, Metric>;

/** Host metrics, keyed as in the API. */
export const HOST_METRICS = {
  cpu: { unit: '%', title: 'CPU', percentiles: true },
  cpuMaxCore: { unit: '%', title: 'Busiest CPU core' },
  cpuIowait: { unit: '%', title: 'CPU waiting for I/O' },
  loadAvg1: { unit: '', title: 'Load average, 1 min' },
  memoryUsed: { unit: 'bytes', title: 'Memory used' },
  memoryTotal: { unit: 'bytes', title: 'Memory' },
  swapUsed: { unit: 'bytes', title: 'Swap used' },
  shmUsed: { unit: 'bytes', title: '/dev/shm used' },
  shmTotal: { unit: 'bytes', title: '/dev/shm' },
  diskRead: { unit: 'bytes/s', title: 'Disk read' },
  diskWrite: { unit: 'bytes/s', title: 'Disk written' },
  diskBusy: { unit: '%', title: 'Busiest disk' },
  diskLatency: { unit: 'ms', title: 'Mean time of a disk request (slowest disk)' },
  diskFree: { unit: 'bytes', title: 'Free disk (least of the watched roots and the database)' },
  netRx: { unit: 'bytes/s', title: 'Network received' },
  netTx: { unit: 'bytes/s', title: 'Network sent' },
  pressureCpu: { unit: '%', title: 'CPU pressure (PSI some avg10)' },
  pressureIo: { unit: '%', title: 'I/O pressure (PSI some avg10)' },
  pressureMemory: { unit: '%', title: 'Memory pressure (PSI some avg10)' },
  temperature: { unit: '°C', title: 'CPU temperature (hottest sensor)' },
  limitMemory: { unit: 'bytes', title: 'Memory that our cgroup may use' },
  limitMemoryUsed: { unit: 'bytes', title: 'Memory that our cgroup uses (without caches that can be dropped)' },
  limitCpuThrottled: { unit: '%', title: 'Time that our cgroup was held back by its CPU limit' },
} as const satisfies Record<string, Metric>;

/** What the processes of one run use together, keyed as in the API. */
export const RUN_METRICS = {
  cpu: { unit: '%', title: 'CPU of the training (100 is one core)' },
  memory: { unit: 'bytes', title: 'Memory of the training' },
  diskRead: { unit: 'bytes/s', title: 'Disk read by the training' },
  diskWrite: { unit: 'bytes/s', title: 'Disk written by the training' },
  processes: { unit: '', title: 'Processes of the training' },
  workers: { unit: '', title: 'Dataloader workers' },
  workersCpu: { unit: '%', title: 'Mean CPU of a dataloader worker (100 is one core)' },
  workersBlocked: { unit: '', title: 'Share of the dataloader workers that wait for I/O (state D)' },
} as const satisfies Record<string, Metric>;

/** How a collector does, keyed as in the API. */
export const COLLECTOR_METRICS = {
  age: { unit: 'ms', title: 'Since its last success' },
  duration: { unit: 'ms', title: 'Time that its last look took' },
  misses: { unit: '', title: 'Looks that failed or were left out', counter: true },
  failures: { unit: '', title: 'Failures in a row' },
} as const satisfies Record<string, Metric>;

export type GpuMetric = keyof typeof GPU_METRICS;
export type HostMetric = keyof typeof HOST_METRICS;
export type RunMetric = keyof typeof RUN_METRICS;
export type CollectorMetric = keyof typeof COLLECTOR_METRICS;

/** NVML's clocks-event-reasons bits by their contract names (nvml.h, nvmlClocksEventReason*). */
export const THROTTLE_BITS = {
  gpu_idle: 0x1,
  applications_clocks_setting: 0x2,
  sw_power_cap: 0x4,
  hw_slowdown: 0x8,
  sync_boost: 0x10,
  sw_thermal_slowdown: 0x20,
  hw_thermal_slowdown: 0x40,
  hw_power_brake_slowdown: 0x80,
  display_clock_setting: 0x100,
} as const;

/** The names of the bits that are set in a stored `throttle` value; null where the GPU does not say. */
export const throttleReasons = (mask: number | null | undefined): string[] | null =>
  mask === null || mask === undefined
    ? null
    : Object.entries(THROTTLE_BITS)
        .filter(([, bit]) => (mask & bit) !== 0)
        .map(([name]) => name);
