import { accessSync, closeSync, constants, existsSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { namesIfAllowed, textIfAllowed } from '../../collectors/process/files.ts';
import { tryTo } from './error-code.ts';
import type { Tell } from './tell.ts';

/** What the machine shows of GPUs before any driver library is asked. */
export type DeviceFacts = {
  /** PCI addresses of NVIDIA's display and compute boards. */
  readonly boards: readonly string[];
  /** Version of the loaded kernel module; null: it is not loaded. */
  readonly driver: string | null;
  /** The open-source driver that keeps NVIDIA's own from loading. */
  readonly hasNouveau: boolean;
  /** Windows Subsystem for Linux gives the GPU in another way. */
  readonly isWsl: boolean;
  /** /dev/nvidia…, and the code of the error that reading and writing gives; null: none. */
  readonly nodes: readonly { readonly path: string; readonly refusal: string | null }[];
};

/** The folders to look into, which tests put elsewhere. */
export type DevicePlaces = { readonly devfs: string; readonly sysfs: string };

const NVIDIA = '0x10de';
/** PCI classes of VGA and 3D controllers. */
const DISPLAY = /^0x030[02]/;
const NODE = /^nvidia(ctl|-uvm|\d+)$/;

export const readDevices = async ({ devfs, sysfs }: DevicePlaces, tell: Tell): Promise<DeviceFacts> => {
  const pci = join(sysfs, 'bus/pci/devices');
  const boards = (namesIfAllowed(pci) ?? []).filter((address) => {
    const vendor = textIfAllowed(join(pci, address, 'vendor'))?.trim();
    return vendor === NVIDIA && DISPLAY.test(textIfAllowed(join(pci, address, 'class')) ?? '');
  });
  const nodes = (namesIfAllowed(devfs) ?? []).filter((name) => NODE.test(name)).map((name) => join(devfs, name));
  return {
    boards,
    driver: textIfAllowed(join(sysfs, 'module/nvidia/version'))?.trim() ?? null,
    hasNouveau: existsSync(join(sysfs, 'module/nouveau')),
    isWsl: existsSync(join(devfs, 'dxg')),
    nodes: nodes.toSorted().map((path) => {
      tell(`opening ${path}`);
      return { path, refusal: refusalOf(path) };
    }),
  };
};

/**
 * Opened is only the node that belongs to no GPU: opening that of a GPU wakes it. It also shows a cgroup that does not
 * let us in, which the rights of the file do not.
 */
const refusalOf = (path: string): string | null =>
  path.endsWith('nvidiactl')
    ? tryTo(() => closeSync(openSync(path, constants.O_RDWR | constants.O_NONBLOCK)))
    : tryTo(() => accessSync(path, constants.R_OK | constants.W_OK));
