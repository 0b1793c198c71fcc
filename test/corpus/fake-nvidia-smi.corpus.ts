// The fake nvidia-smi beside the real binaries of five drivers: how they end, and what elements their XML may have.
import t from 'tap';
import { givesUp } from '../simulators/nvidia-smi-faults.js';
import { stageOf } from '../simulators/nvidia-smi-stage.js';
import { xmlLog } from '../simulators/nvidia-smi-xml.js';
import { DRIVERS } from '../simulators/nvml/generations.js';
import { recorded } from './nvidia-files.ts';

t.test('the last words and the exit code are those of the real program, of every driver', async (t) => {
  const records = recorded('errors', /^init-\d+\.smi\d+\.txt$/);
  t.ok(records.length >= 40);
  for (const { file, text } of records) {
    const [, driver = '', code = '', exit = '', stdout = ''] =
      /nvidia-smi (\S+) .*return=(\d+) ; exit=(\d+)\n# --- stdout\n(.*?)\n?# --- stderr/s.exec(text) ?? [];
    // Init went well there, and then no GPU was found.
    const answer = givesUp(code === '0' ? 6 : Number(code), driver);
    t.same({ exit: answer.exit, text: answer.text.trim() }, { exit: Number(exit), text: stdout.trim() }, file);
  }
});

/** The children that a DTD gives each element, in their order. */
const childrenIn = (dtd: string): ReadonlyMap<string, readonly string[]> =>
  new Map(
    [...dtd.matchAll(/<!ELEMENT\s+(\w+)\s+\(([^>]*)\)/g)].map(([, name = '', content = '']) => [
      name,
      content.match(/\w+/g) ?? [],
    ]),
  );

/** Every element of an XML with the names of its children, once each. */
const elementsOf = (xml: string): readonly { name: string; children: readonly string[] }[] => {
  const open: { name: string; children: Set<string> }[] = [];
  const found: { name: string; children: readonly string[] }[] = [];
  for (const [, end, name = ''] of xml.matchAll(/<(\/?)(\w+)[^>]*>/g)) {
    if (end === '') {
      open.at(-1)?.children.add(name);
      open.push({ name, children: new Set() });
    } else {
      const closed = open.pop();
      if (closed) found.push({ name: closed.name, children: [...closed.children] });
    }
  }
  return found;
};

/** Those of the names that come in the list, each behind the one before; a list may hold several alternatives. */
const foundInOrder = (names: readonly string[], list: readonly string[]): readonly string[] => {
  let from = 0;
  return names.filter((name) => {
    const at = list.indexOf(name, from);
    from = at < 0 ? from : at + 1;
    return at >= 0;
  });
};

const MIG = { slot: 0, uuid: 'MIG-1', profile: '3g.20gb', gpuInstance: 1, computeInstance: 0, memoryMib: 19_968 };
const GPU = { uuid: 'GPU-a', name: 'NVIDIA A100-SXM4-40GB', memoryMib: 40_960, powerLimit: 400 };

t.test('every element of its XML is in the DTD of that driver, where the DTD has it', async (t) => {
  for (const [generation, driver] of Object.entries(DRIVERS).filter(([name]) => !name.includes('.'))) {
    const [dtd] = recorded('text', new RegExp(`^dtd\\.${generation}\\.txt$`));
    const allowed = childrenIn(dtd?.text ?? '');
    const stage = stageOf({
      clock: { startAt: 0, wallStartAt: 0, speed: 0 },
      driver,
      gpus: [GPU, { ...GPU, uuid: 'GPU-m', mig: [{ ...MIG, multiprocessors: 42 }] }],
      trainings: [],
      processes: [{ pid: 7, name: 'python', memoryMib: 100 }],
    });
    const elements = elementsOf(xmlLog(stage));
    t.ok(elements.length > 100);
    for (const { name, children } of elements) {
      t.same(foundInOrder(children, allowed.get(name) ?? []), children, `${driver} <${name}>`);
    }
  }
});
