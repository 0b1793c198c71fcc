/**
 * The catalogue of sampled metrics: what each is called, in which unit, and on which kind of subject.
 * The hot tables have one column per entry; a test holds the two together.
 */
export type MetricUnit = '%' | 'bytes' | 'bytes/s' | 'W' | 'J' | '°C' | 'MHz' | '' | 'bits';

/** One sampled metric. `counter` says that it only grows, so a rate is what a person wants to see. */
export type Metric = { readonly unit: MetricUnit; readonly title: string; readonly counter?: true };

/** GPU metrics, keyed as in the API; `throttle` is stored as NVML's bit mask (see {@link throttleReasons}). */
export const GPU_METRICS = {
  utilization: { unit: '%', title: 'GPU utilization' },
  memoryUtilization: { unit: '%', title: 'Memory bus utilization' },
  memoryUsed: { unit: 'bytes', title: 'Memory used' },
  memoryTotal: { unit: 'bytes', title: 'Memory' },
  memoryReserved: { unit: 'bytes', title: 'Memory reserved by the driver' },
  power: { unit: 'W', title: 'Power' },
  powerLimit: { unit: 'W', title: 'Power limit' },
  temperature: { unit: '°C', title: 'Temperature' },
  clockSm: { unit: 'MHz', title: 'SM clock' },
  clockMem: { unit: 'MHz', title: 'Memory clock' },
  pcieRx: { unit: 'bytes/s', title: 'PCIe received' },
  pcieTx: { unit: 'bytes/s', title: 'PCIe sent' },
  throttle: { unit: 'bits', title: 'Throttle reasons' },
  fan: { unit: '%', title: 'Fan' },
  energy: { unit: 'J', title: 'Energy since driver load', counter: true },
  eccErrors: { unit: '', title: 'Uncorrected ECC errors', counter: true },
  xid: { unit: '', title: 'Last XID' },
  runMemory: { unit: 'bytes', title: "Memory held by the run's own processes" },
} as const satisfies Record<string, Metric>;

/** Host metrics, keyed as in the API. */
export const HOST_METRICS = {
  cpu: { unit: '%', title: 'CPU' },
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
  diskFree: { unit: 'bytes', title: 'Free disk (least of the watched roots and the database)' },
  netRx: { unit: 'bytes/s', title: 'Network received' },
  netTx: { unit: 'bytes/s', title: 'Network sent' },
  pressureCpu: { unit: '%', title: 'CPU pressure (PSI some avg10)' },
  pressureIo: { unit: '%', title: 'I/O pressure (PSI some avg10)' },
  pressureMemory: { unit: '%', title: 'Memory pressure (PSI some avg10)' },
} as const satisfies Record<string, Metric>;

export type GpuMetric = keyof typeof GPU_METRICS;
export type HostMetric = keyof typeof HOST_METRICS;

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
