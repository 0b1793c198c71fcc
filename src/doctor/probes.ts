import type { DatabaseQuestion } from './facts/database.ts';
import type { DevicePlaces } from './facts/devices.ts';
import type { FolderQuestion } from './facts/folder.ts';
import type { HintQuestion } from './facts/hints.ts';
import type { MachinePlaces } from './facts/machine.ts';
import type { NvmlQuestion } from './facts/nvml.ts';
import type { ProcessesQuestion } from './facts/processes.ts';
import type { Tell } from './facts/tell.ts';

/** What may hang, by name: each takes JSON and gives JSON. A child loads the one that it is for, and none of the others. */
export const PROBES = {
  machine: async (places: MachinePlaces) => (await import('./facts/machine.ts')).readMachine(places),
  devices: async (places: DevicePlaces, tell: Tell) => (await import('./facts/devices.ts')).readDevices(places, tell),
  nvml: async (question: NvmlQuestion, tell: Tell) => (await import('./facts/nvml.ts')).askNvml(question, tell),
  processes: async (question: ProcessesQuestion, tell: Tell) =>
    (await import('./facts/processes.ts')).readProcesses(question, tell),
  folder: async (question: FolderQuestion, tell: Tell) =>
    (await import('./facts/folder.ts')).readFolder(question, tell),
  hints: async (question: HintQuestion, tell: Tell) => (await import('./facts/hints.ts')).tryHints(question, tell),
  database: async (question: DatabaseQuestion, tell: Tell) =>
    (await import('./facts/database.ts')).readDatabase(question, tell),
} as const;
export type Probes = typeof PROBES;
