import type { ObservedGpu } from '../../../core/batch.ts';
import { createClocksReader } from './clocks.ts';
import { codeOf, type Device, DriverGone, suffer } from './device.ts';
import { createFieldsReader } from './fields.ts';
import { createHealthReader } from './health.ts';
import { createInventory } from './inventory.ts';
import type { Nvml } from './library.ts';
import { createMemoryReader } from './memory.ts';
import { createMigReader } from './mig.ts';
import { createPowerReader } from './power.ts';
import { createProcessesReader } from './processes.ts';
import { type ChildMessage, type ProcessRow, TICK_METRICS, type TickMetric } from './protocol.ts';
import { CODE, wordsOf } from './return-codes.ts';
import { createUtilizationReader } from './utilization.ts';

/** Reads all GPUs of one opened library, in tiers. Everything throws {@link DriverGone} where the driver is gone. */
export type Sampler = {
  /** Finds the GPUs; false: there is none, and none was there before. */
  readonly open: () => boolean;
  /** Whether something can only be read with a `mark` when the next tick is `periodMs` after the last one. */
  readonly needsMark: (periodMs: number) => boolean;
  /** A first reading of what needs two: `PCIE_WINDOW_MS` before a tick. */
  readonly mark: () => void;
  /** One tick; returns how long its fast tier took, ms. */
  readonly tick: () => number;
};

export type SamplerOptions = {
  readonly nvml: Nvml;
  readonly intervalMs: number;
  /** GPUs that were there before. */
  readonly known: readonly ObservedGpu[];
  readonly say: (message: ChildMessage) => void;
  readonly remark: (text: string) => void;
};

/** The process list holds the driver's lock for milliseconds. */
const SLOW_EVERY_MS = 1000;
const STATIC_EVERY_MS = 60_000;
/** A GPU that is lost is found again within this time of its return, and healthy ones wait at most 2 % of theirs. */
const REOPEN_AFTER_MS = 2500;
const REOPEN_SHARE = 0.02;

/** What it says first is the inventory; then every tick what changed and a row for each GPU. */
export const createSampler = ({ nvml, intervalMs, known, say, remark }: SamplerOptions): Sampler => {
  const inventory = createInventory(nvml);
  const readInstances = createMigReader(nvml);
  const readMemory = createMemoryReader(nvml);
  const readProcesses = createProcessesReader(nvml);
  const readHealth = createHealthReader(nvml);
  const fields = createFieldsReader(nvml);
  const fast = [createUtilizationReader(nvml), createClocksReader(nvml), createPowerReader(nvml), fields.read];
  const slowTicks = Math.ceil(SLOW_EVERY_MS / intervalMs);
  const staticTicks = Math.ceil(STATIC_EVERY_MS / intervalMs);

  let devices: readonly Device[] = [];
  let counted = 0;
  /** Every GPU that the driver counts could be opened. */
  let isWhole = true;
  /** The driver counts another number of GPUs than it did. */
  let isOutdated = false;
  let tickNumber = 0;
  let reopenAt = 0;
  let told = '';
  let remarked = '';

  const tellInventory = (): void => {
    const gpus = devices.flatMap(({ facts, handle }) => (handle === null ? [] : [facts]));
    const text = JSON.stringify(gpus);
    if (text === told) return;
    told = text;
    say({ gpus });
  };

  const withInstances = (wholes: readonly Device[]): readonly Device[] =>
    wholes.flatMap((device) => [device, ...readInstances(device)]);

  const open = (): boolean => {
    const before = devices.length === 0 ? known : devices.map(({ facts }) => facts);
    const code = codeOf(nvml.nvmlInit_v2?.());
    if (code !== CODE.success) throw new DriverGone(code);
    counted = inventory.count();
    const found = inventory.find(
      counted,
      before.filter(({ mig }) => !mig),
    );
    devices = withInstances(found.devices);
    isWhole = found.unnamed.length === 0;
    const words = found.unnamed.join('; ');
    if (words !== '' && words !== remarked) remark(words);
    remarked = words;
    isOutdated = false;
    reopenAt = performance.now() + REOPEN_AFTER_MS;
    tickNumber = 0;
    if (devices.length === 0 && isWhole) return false;
    tellInventory();
    return true;
  };

  /** A lost GPU can only come back to a library that is initialised anew. */
  const reopen = (): void => {
    const startedAt = performance.now();
    nvml.nvmlShutdown?.();
    open();
    reopenAt = performance.now() + Math.max(REOPEN_AFTER_MS, (performance.now() - startedAt) / REOPEN_SHARE);
  };

  const readFast = (device: Device): void => {
    if (device.trouble !== null) return;
    device.answered = 0;
    device.refusal = null;
    readMemory(device);
    if (!device.facts.mig) {
      for (const read of fast) {
        if (device.trouble !== null) return;
        read(device);
      }
    }
    if (device.answered === 0 && device.refusal !== null) suffer(device, device.refusal);
  };

  const readSlowly = (): void => {
    const rows: ProcessRow[] = [];
    let refusal: number | null = null;
    let answered = 0;
    for (const device of devices) {
      if (device.trouble !== null) continue;
      if (!device.facts.mig) readHealth(device);
      // Under MIG the instances say who is on them; the whole GPU would say it again.
      if (device.trouble !== null || device.isPartitioned) continue;
      const found = readProcesses(device);
      if (typeof found === 'number') refusal = found;
      else {
        answered += 1;
        rows.push(...found);
      }
    }
    if (refusal !== null && answered === 0) say({ processes: null, why: wordsOf(refusal) });
    else say({ processes: rows });
  };

  const tellNotes = (): void => {
    const news = devices.filter(({ hasNews }) => hasNews);
    if (news.length === 0) return;
    for (const device of news) device.hasNews = false;
    say({ notes: news.map(notesOn) });
  };

  const refreshAll = (): void => {
    const wholes = devices.filter(({ facts }) => !facts.mig);
    for (const device of wholes) if (device.trouble === null) inventory.refresh(device);
    devices = withInstances(wholes);
    tellInventory();
    isOutdated = inventory.count() !== counted;
  };

  return {
    open,
    needsMark: (periodMs) => devices.some((device) => isMeasured(device) && fields.needsMark(device, periodMs)),
    mark: () => {
      for (const device of devices) if (isMeasured(device)) fields.mark(device);
    },
    tick: () => {
      const isSlow = tickNumber % slowTicks === 0;
      if (tickNumber === 0) readSlowly();
      const startedAt = performance.now();
      for (const device of devices) readFast(device);
      const fastMs = performance.now() - startedAt;
      tellNotes();
      say({ tick: devices.map(({ facts, values }) => [facts.uuid, ...values]) });
      if (isSlow && tickNumber > 0) readSlowly();
      tickNumber += 1;
      if (tickNumber % staticTicks === 0 || (isSlow && devices.some(lostItsPlace))) refreshAll();
      const isBroken = isOutdated || !isWhole || devices.some(({ trouble, facts }) => trouble !== null && !facts.mig);
      if (isBroken && performance.now() >= reopenAt) reopen();
      return fastMs;
    },
  };
};

/** A whole GPU that answers. */
const isMeasured = ({ facts, trouble }: Device): boolean => trouble === null && !facts.mig;

/** An instance that fails was taken away, or its GPU fails: which it is, a look at the instances tells. */
const lostItsPlace = ({ facts, trouble }: Device): boolean => Boolean(facts.mig) && trouble !== null;

const notesOn = ({ facts, trouble, reasons }: Device) => ({
  uuid: facts.uuid,
  trouble,
  absent: Object.fromEntries(
    TICK_METRICS.flatMap((metric: TickMetric, place) => {
      const reason = reasons[place];
      return reason == null ? [] : [[metric, reason]];
    }),
  ),
});
