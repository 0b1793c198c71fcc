/** A collector as the documentation knows it. */
export type CollectorInfo = { readonly name: string; readonly description: string };

/** Every collector that there is, by its name in `/readyz` and in the log. */
export const COLLECTORS: readonly CollectorInfo[] = [
  {
    name: 'run-finder',
    description:
      'Searches the watched roots for run folders, at any depth; hints by chokidar, a walk every 5 s behind.',
  },
  {
    name: 'run PATH',
    description:
      'One run folder: args.yaml, new rows of results.csv, results.png, the newest mtime; fs.watch, every 2 s.',
  },
  { name: 'gpu', description: 'A sample of every GPU, by one long-lived nvidia-smi, and the inventory.' },
  { name: 'gpu-processes', description: 'Which processes hold memory on which GPU, and what /proc says of them.' },
  { name: 'host', description: 'CPU, memory, disks, network and pressure of this host, from /proc.' },
];
