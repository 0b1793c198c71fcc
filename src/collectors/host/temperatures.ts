import { readFile } from 'node:fs/promises';
import type { HostFile, OpenHostFile } from './file.ts';
import { createQuestion } from './question.ts';
import { createPace, type Reading } from './reading.ts';
import { findSensors, parseTemperature, type Sensor } from './sensors.ts';

const READ_EVERY_MS = 5000;
const FIND_EVERY_MS = 60_000;
const NO_SYSFS = 'there is no /sys to look at';
const NO_SENSOR = 'no CPU temperature sensor (coretemp, k10temp, zenpower, cpu_thermal)';

/** How a sensor is asked: null while it does not say. */
type Watched = Sensor & { readonly read: () => number | null; readonly close: () => void };

/**
 * Temperatures of /sys/class/hwmon. The processor's own are a register that is read at once. Behind any other there may
 * be a drive or a controller that takes its time or hangs: those are asked without waiting for them.
 */
export const createTemperatures = (sysfs: string | null, open: OpenHostFile) => {
  const isTimeToFind = createPace(FIND_EVERY_MS);
  const isTimeToRead = createPace(READ_EVERY_MS);
  let sensors: readonly Watched[] = [];
  let latest: { sensor: string; value: number; isCpu: boolean }[] = [];

  const find = (root: string): void => {
    const found = findSensors(root);
    const isWatched =
      ({ input, name }: Sensor) =>
      (each: Sensor) =>
        each.input === input && each.name === name;
    const kept = sensors.filter((sensor) => found.some(isWatched(sensor)));
    for (const sensor of sensors) if (!kept.includes(sensor)) sensor.close();
    sensors = found.map((sensor) => kept.find(isWatched(sensor)) ?? watch(sensor, open));
  };

  return {
    look: (at: number) => {
      if (sysfs !== null && isTimeToFind(at)) find(sysfs);
      if (isTimeToRead(at)) {
        latest = sensors.flatMap(({ name, isCpu, read }) => {
          const value = read();
          return value === null ? [] : [{ sensor: name, value, isCpu }];
        });
      }
      const ofCpu = latest.flatMap(({ isCpu, value }) => (isCpu ? value : []));
      const temperature: Reading = ofCpu.length > 0 ? Math.max(...ofCpu) : sysfs === null ? NO_SYSFS : NO_SENSOR;
      return { readings: { temperature }, temperatures: latest.map(({ sensor, value }) => ({ sensor, value })) };
    },
    close: () => {
      for (const sensor of sensors) sensor.close();
    },
  };
};

const watch = (sensor: Sensor, open: OpenHostFile): Watched => {
  if (sensor.isCpu) {
    const file: HostFile = open(sensor.input);
    return { ...sensor, read: () => parseTemperature(file.read() ?? ''), close: file.close };
  }
  const question = createQuestion(READ_EVERY_MS - 1, async () =>
    parseTemperature(await readFile(sensor.input, 'latin1')),
  );
  return { ...sensor, read: () => question.latest(), close: () => {} };
};
