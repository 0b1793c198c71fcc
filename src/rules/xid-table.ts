import type { Severity } from '../core/alert.ts';

/** What an error of the driver means (RULES 4.7; NVIDIA, XID Errors). */
export type XidMeaning = {
  readonly severity: Severity;
  readonly text: string;
  readonly fix: readonly string[];
};

const RESET = 'End what runs on it, then reset the GPU (nvidia-smi --gpu-reset -i GPU) or restart the machine.';
const REPLACE = 'When it comes again after that, have the board looked at or replaced.';
const RESUME = 'Go on from last.pt (yolo train resume model=last.pt).';
const IN_CODE = [
  'Look at the end of the console for the error of the program that it names.',
  'Run the same without other processes on the GPU and with CUDA_LAUNCH_BLOCKING=1: if it comes again, the program is at fault (an index out of range, a custom kernel).',
  'If it comes with different programs, test the memory of the GPU (dcgmi diag -r 3).',
] as const;

/** By number. Those of an application, or that follow from another error, are warnings. */
const MEANINGS: ReadonlyMap<number, XidMeaning> = new Map([
  [13, warning('A kernel of a program did what it may not (an exception of the graphics engine).', IN_CODE)],
  [31, warning('A program used an address of GPU memory that is not its own (an MMU fault).', IN_CODE)],
  [43, warning('The driver ended the work of a program that no longer answered; the GPU is well.', IN_CODE)],
  [45, warning('The driver cleared away the work of a program: it was killed, or another error came before.', IN_CODE)],
  [46, critical('The GPU stopped working on what it was given.', [RESET, RESUME, REPLACE])],
  [48, critical('Two bits of its memory flipped at once, which ECC sees but cannot mend.', [RESET, RESUME, REPLACE])],
  [
    63,
    warning('Bad memory was found and will be taken out of use (row remapping or page retirement).', [
      'Reset the GPU when it is idle (nvidia-smi --gpu-reset -i GPU): only then is the spare memory used.',
      REPLACE,
    ]),
  ],
  [
    64,
    critical('Bad memory could not be taken out of use (row remapping or page retirement failed).', [
      RESET,
      'Have the board replaced when nvidia-smi -q -d ROW_REMAPPER still tells of a failure.',
    ]),
  ],
  [
    79,
    critical('The GPU has fallen off the bus: the machine does not reach it any more.', [
      'Restart the machine (switch it off, not only reboot, if the GPU stays away).',
      'Look at its temperature, its power cables and its seat in the slot.',
      RESUME,
      REPLACE,
    ]),
  ],
  [
    94,
    warning('A memory error that ECC could not mend hit one program only; the others go on.', [
      `Restart the program that it names. ${RESUME}`,
      'Reset the GPU when it is idle.',
    ]),
  ],
  [95, critical('A memory error that ECC could not mend may have hit every program.', [RESET, RESUME, REPLACE])],
  [
    119,
    critical("The GPU's own processor (GSP) does not answer the driver.", [
      RESET,
      RESUME,
      'When it comes again: update the driver, or switch the GSP off (NVreg_EnableGpuFirmware=0).',
    ]),
  ],
  [
    120,
    critical("The GPU's own processor (GSP) reported an error.", [
      RESET,
      RESUME,
      'When it comes again: update the driver, or switch the GSP off (NVreg_EnableGpuFirmware=0).',
    ]),
  ],
]);

/** A number that is not in the table is only noted. */
export const meaningOfXid = (xid: number): XidMeaning =>
  MEANINGS.get(xid) ?? {
    severity: 'info',
    text: 'The driver reported an error that we know nothing about.',
    fix: [`Look up XID ${xid} in NVIDIA's catalog (docs.nvidia.com/deploy/xid-errors).`],
  };

function warning(text: string, fix: readonly string[]): XidMeaning {
  return { severity: 'warning', text, fix };
}

function critical(text: string, fix: readonly string[]): XidMeaning {
  return { severity: 'critical', text, fix };
}
