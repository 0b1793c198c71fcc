import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { basename } from 'node:path';

/** One temperature of /sys/class/hwmon. `input` is the file with its value in thousandths of a degree. */
export type Sensor = { readonly name: string; readonly input: string; readonly isCpu: boolean };

/** Drivers whose sensors are the processor's, as each names its chip: Intel, AMD, AMD (zenpower), ARM boards. */
const CPU_CHIPS = new Set(['coretemp', 'k10temp', 'zenpower', 'cpu_thermal']);
/** Asking it keeps some drives from spinning down (Documentation/hwmon/drivetemp.rst). */
const LEFT_ALONE = new Set(['drivetemp']);
const MOST_SENSORS = 64;
const MOST_CHARACTERS = 60;

/**
 * The sensors that there are now. Of a processor the packages where they are told apart from their cores (`Package id 0`,
 * which is the hottest of them), and not Tctl where there is a Tdie: on some processors Tctl is 20 °C too high
 * (Documentation/hwmon/k10temp.rst). Of other chips the first, which is the one that counts (`nvme Composite`).
 * Equal names are numbered.
 */
export const findSensors = (sysfs: string): readonly Sensor[] => {
  const folder = `${sysfs}/class/hwmon`;
  const found = namesIn(folder)
    .sort((a, b) => numberIn(a) - numberIn(b))
    .flatMap((name) => sensorsOf(`${folder}/${name}`))
    .slice(0, MOST_SENSORS);
  const seen = new Map<string, number>();
  return found.map((sensor) => {
    const count = (seen.get(sensor.name) ?? 0) + 1;
    seen.set(sensor.name, count);
    return count === 1 ? sensor : { ...sensor, name: `${sensor.name} (${count})` };
  });
};

/** °C, to one decimal; null when the text is no temperature that a computer has: broken sensors say −128 or 255. */
export const parseTemperature = (text: string): number | null => {
  const degrees = /^-?\d+\n?$/.test(text) ? Number(text) / 1000 : Number.NaN;
  return degrees > -40 && degrees < 150 ? Math.round(degrees * 10) / 10 : null;
};

const sensorsOf = (hwmon: string): readonly Sensor[] => {
  // Before 3.15 some drivers kept their files at the device (lm-sensors looks in both places, too).
  const place = [hwmon, `${hwmon}/device`].find((folder) => wordIn(`${folder}/name`) !== null);
  const chip = place === undefined ? null : wordIn(`${place}/name`);
  if (place === undefined || chip === null || LEFT_ALONE.has(chip)) return [];
  const inputs = namesIn(place)
    .filter((name) => /^temp\d+_input$/.test(name))
    .sort((a, b) => numberIn(a) - numberIn(b))
    .map((name) => ({ input: `${place}/${name}`, label: wordIn(`${place}/${name.replace('input', 'label')}`) }));
  const isCpu = CPU_CHIPS.has(chip);
  const device = deviceOf(hwmon);
  const prefix = device?.startsWith(chip) ? device : chip;
  return (isCpu ? ofProcessor(inputs) : inputs.slice(0, 1)).map(({ input, label }) => ({
    name: (label === null ? prefix : `${isCpu ? chip : prefix} ${label}`).slice(0, MOST_CHARACTERS),
    input,
    isCpu,
  }));
};

const ofProcessor = <T extends { label: string | null }>(inputs: readonly T[]): readonly T[] => {
  const packages = inputs.filter(({ label }) => label?.startsWith('Package'));
  if (packages.length > 0) return packages;
  return inputs.some(({ label }) => label === 'Tdie') ? inputs.filter(({ label }) => label !== 'Tctl') : inputs;
};

/** `nvme0`, `coretemp.0`: the device that a chip is a part of. */
const deviceOf = (hwmon: string): string | null => ifThere(() => basename(readlinkSync(`${hwmon}/device`)));

const namesIn = (folder: string): string[] => ifThere(() => readdirSync(folder)) ?? [];

const wordIn = (file: string): string | null => ifThere(() => readFileSync(file, 'utf8').trim()) || null;

const numberIn = (name: string): number => Number(/\d+/.exec(name)?.[0] ?? 0);

/** Names and labels are what the driver said when it began: reading them asks no device. */
const ifThere = <T>(read: () => T): T | null => {
  try {
    return read();
  } catch (error) {
    if (error instanceof Error && 'code' in error && NOT_THERE.has(String(error.code))) return null;
    throw error;
  }
};

const NOT_THERE = new Set(['ENOENT', 'ENOTDIR', 'ENODEV', 'EACCES', 'EPERM', 'EINVAL', 'EIO', 'EOPNOTSUPP']);
