import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t, { type Test } from 'tap';
import { createHostFiles } from '../../../src/collectors/host/file.ts';
import { parseTemperature } from '../../../src/collectors/host/sensors.ts';
import { createTemperatures } from '../../../src/collectors/host/temperatures.ts';

const READ_AGAIN_MS = 5000;
const FIND_AGAIN_MS = 60_000;
const NO_SENSOR = 'no CPU temperature sensor (coretemp, k10temp, zenpower, cpu_thermal)';

/** A machine with these files below /sys/class/hwmon. */
const open = (t: Test, files: Readonly<Record<string, string>>) => {
  const sysfs = t.testdir({ class: { hwmon: {} } });
  const write = (name: string, text: string) => {
    const path = join(sysfs, 'class/hwmon', name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  };
  for (const [name, text] of Object.entries(files)) write(name, text);
  const temperatures = createTemperatures(sysfs, createHostFiles());
  t.teardown(temperatures.close);
  return {
    write,
    link: (name: string, target: string) => symlinkSync(target, join(sysfs, 'class/hwmon', name)),
    remove: (name: string) => rmSync(join(sysfs, 'class/hwmon', name), { recursive: true }),
    look: temperatures.look,
  };
};

t.test('of two Intel processors the packages are shown, and the hotter one counts', async (t) => {
  const core = (hwmon: number, celsius: number) => ({
    [`hwmon${hwmon}/name`]: 'coretemp\n',
    [`hwmon${hwmon}/temp1_input`]: `${celsius}000\n`,
    [`hwmon${hwmon}/temp1_label`]: 'Package id 0\n',
    [`hwmon${hwmon}/temp2_input`]: '30000\n',
    [`hwmon${hwmon}/temp2_label`]: 'Core 0\n',
  });
  const { look, write } = open(t, { ...core(10, 71), ...core(2, 64) });
  t.same(look(0), {
    readings: { temperature: 71 },
    temperatures: [
      { sensor: 'coretemp Package id 0', value: 64 },
      { sensor: 'coretemp Package id 0 (2)', value: 71 },
    ],
  });
  write('hwmon2/temp1_input', '80500\n');
  t.equal(look(1000).readings.temperature, 71, 'they are not read at every look');
  t.equal(look(READ_AGAIN_MS).readings.temperature, 80.5);
});

t.test('an AMD processor says Tdie, where Tctl may be 20 degrees too high', async (t) => {
  const { look } = open(t, {
    'hwmon0/name': 'k10temp\n',
    'hwmon0/temp1_input': '90000\n',
    'hwmon0/temp1_label': 'Tctl\n',
    'hwmon0/temp2_input': '70125\n',
    'hwmon0/temp2_label': 'Tdie\n',
    'hwmon0/temp3_input': '65000\n',
    'hwmon0/temp3_label': 'Tccd1\n',
  });
  t.match(look(0), {
    readings: { temperature: 70.1 },
    temperatures: [{ sensor: 'k10temp Tdie' }, { sensor: 'k10temp Tccd1' }],
  });
});

t.test('sensors without labels, and at the device as Linux 3.10 has them', async (t) => {
  const { look } = open(t, {
    'hwmon0/device/name': 'coretemp\n',
    'hwmon0/device/temp2_input': '44000\n',
    'hwmon0/device/temp3_input': '46000\n',
  });
  t.same(look(0), {
    readings: { temperature: 46 },
    temperatures: [
      { sensor: 'coretemp', value: 44 },
      { sensor: 'coretemp (2)', value: 46 },
    ],
  });
});

t.test('drives are shown by their name, count not as CPU, and are not waited for', async (t) => {
  const machine = open(t, {
    'hwmon0/name': 'nvme\n',
    'hwmon0/temp1_input': '38850\n',
    'hwmon0/temp1_label': 'Composite\n',
    'hwmon0/temp2_input': '50000\n',
    'hwmon1/name': 'drivetemp\n',
    'hwmon1/temp1_input': '33000\n',
  });
  machine.link('hwmon0/device', '../../nvme3');
  t.same(machine.look(0), { readings: { temperature: NO_SENSOR }, temperatures: [] }, 'it has not answered yet');
  let at = READ_AGAIN_MS;
  for (; machine.look(at).temperatures.length === 0; at += READ_AGAIN_MS) await new Promise(setImmediate);
  t.same(machine.look(at), {
    readings: { temperature: NO_SENSOR },
    temperatures: [{ sensor: 'nvme3 Composite', value: 38.9 }],
  });
});

t.test('a sensor that goes is gone, and is there again when it comes back', async (t) => {
  const { look, remove, write } = open(t, { 'hwmon0/name': 'zenpower\n', 'hwmon0/temp1_input': '50000\n' });
  t.equal(look(0).readings.temperature, 50);
  remove('hwmon0');
  t.equal(look(FIND_AGAIN_MS).readings.temperature, NO_SENSOR);
  write('hwmon3/name', 'zenpower\n');
  write('hwmon3/temp1_input', '51000\n');
  t.equal(look(2 * FIND_AGAIN_MS).readings.temperature, 51);
});

t.test('a broken sensor is no temperature', async (t) => {
  const { look } = open(t, { 'hwmon0/name': 'coretemp\n', 'hwmon0/temp1_input': '255000\n', 'hwmon1/name': '' });
  t.same(look(0), { readings: { temperature: NO_SENSOR }, temperatures: [] });
  t.same(['-128000\n', 'N/A', '', '1e3', '45000', '-5000\n', '0x10\n'].map(parseTemperature), [
    null,
    null,
    null,
    null,
    45,
    -5,
    null,
  ]);
});

t.test('without a /sys there is nothing to ask', async (t) => {
  const { look } = createTemperatures(null, createHostFiles());
  t.same(look(0), { readings: { temperature: 'there is no /sys to look at' }, temperatures: [] });
});
