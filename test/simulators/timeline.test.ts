import t from 'tap';
import { TIMELINE } from './nvml/layout.js';
import { compileTimeline } from './nvml/timeline.js';

const TRAINING = { name: 'train', startS: 5, epochs: 9, secondsPerEpoch: 600, seed: 1 };
const SIMULATION = {
  clock: { startAt: 0, wallStartAt: 0, speed: 1 },
  driver: '550.163.01',
  gpus: [{ uuid: 'GPU-a', name: 'NVIDIA A100-PCIE-40GB', memoryMib: 40_960, powerLimit: 250 }],
  trainings: [{ ...TRAINING, pid: 7 }],
};

const numberAt = (file: Buffer, field: string): number =>
  file.readUInt32LE(TIMELINE.fields.find(({ name }) => name === field)?.offset ?? 0);

t.test('a simulation gives the same bytes each time, and more of them where more happens', async (t) => {
  const file = compileTimeline(SIMULATION, { spanS: 60 });
  t.ok(file.equals(compileTimeline(SIMULATION, { spanS: 60 })));
  t.ok(file.length < compileTimeline(SIMULATION, { spanS: 120 }).length);
  const idle = compileTimeline({ ...SIMULATION, trainings: [] }, { spanS: 60 });
  t.ok(idle.length < file.length);
});

t.test('it names its GPUs, processes and XIDs', async (t) => {
  const xids = [3, 1].map((atS) => ({ kind: 'xid' as const, gpu: 0, atS, code: 79 }));
  const file = compileTimeline({ ...SIMULATION, incidents: xids }, { spanS: 60 });
  t.same(
    ['gpuCount', 'processCount', 'xidCount'].map((field) => numberAt(file, field)),
    [1, 1, 2],
  );
  t.match(file.toString('latin1'), 'GPU-a');
});

t.test('a training without a pid is refused: the library could not say whose memory it is', async (t) => {
  t.throws(() => compileTimeline({ ...SIMULATION, trainings: [TRAINING] }, { spanS: 60 }), /has no pid in its plan/);
});

t.test('a driver older than the library’s oldest is refused', async (t) => {
  t.throws(() => compileTimeline({ ...SIMULATION, driver: '390.157' }, { spanS: 1 }), /from 470 on, not 390.157/);
});
