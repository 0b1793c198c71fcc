import type { Kind } from './second.ts';

const ordinary: Kind = () => ({});

/** What a healthy training may look like. Those without a course differ in their machine, or in the order of their phases. */
export const CLEAN_KINDS = {
  plain: ordinary,
  short_epochs: ordinary,
  long_val: ordinary,
  slow_ckpt: ordinary,

  /** Nothing is in the page cache yet: the first epoch reads from the disk. */
  cold_first_epoch: ({ uniform }) => ({
    pace: ({ epoch, phase }) => (epoch === 0 && phase === 'train' ? 0.45 : 1),
    starve: (second, { epoch, phase }) => {
      if (epoch !== 0 || phase !== 'train') return;
      second.utilization = uniform(0, 95);
      second.diskBusy = uniform(85, 100);
      second.iowait = uniform(10, 30);
      second.pressureIo = uniform(10, 30);
      second.workersBlocked = uniform(0.3, 0.7);
      second.workersCpu = uniform(15, 40);
    },
  }),

  mem_grow_flat: ordinary,
  mem_high_flat: ordinary,

  /** Images of changing size: utilization and memory waver. */
  multi_scale: ({ uniform }) => ({
    utilize: (second) => {
      if (second.phase === 'train') second.utilization -= uniform(0, 22);
    },
    memoryShare: () => uniform(0.93, 1),
  }),

  powercap: ordinary,
  util_mod: ordinary,
  cpu_busy_ok: ordinary,
  disk_busy_ok: ordinary,
  mosaic_restart: ordinary,
  resume_restart: ordinary,

  /** Samples are missing for up to 25 s. */
  sample_gaps: ({ unit, uniform }) => {
    let left = 0;
    return {
      isLost: () => {
        const lost = left > 0 || unit() < 0.004;
        if (lost) left = left > 0 ? left - 1 : Math.floor(uniform(2, 25));
        return lost;
      },
    };
  },

  nan_recovery: ordinary,
  ram_cache: ordinary,
  empty_cache_saw: ordinary,

  jittery: ({ unit, uniform }) => ({
    utilize: (second) => {
      if (second.phase === 'train') second.utilization = unit() > 0.03 ? uniform(30, 100) : uniform(0, 8);
    },
  }),

  /** Other programs use the CPU or the disk for a while; the training does not mind. */
  bg_bursts: ({ unit, uniform }) => {
    let left = 0;
    let onCpu = false;
    return {
      crowd: (second) => {
        if (left > 0) left--;
        else if (unit() < 0.003) {
          left = Math.floor(uniform(15, 70));
          onCpu = unit() < 0.5;
        }
        if (left === 0) return;
        if (onCpu) {
          second.cpu = uniform(90, 100);
          second.pressureCpu = uniform(10, 40);
          return;
        }
        second.diskBusy = uniform(88, 100);
        second.iowait += uniform(8, 25);
        second.pressureIo = uniform(3, 15);
        second.diskRead += 300;
      },
    };
  },

  var_epochs: ordinary,
  small_model: ordinary,
} as const satisfies Record<string, Kind>;
