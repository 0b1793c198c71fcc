// Run as `node child-sealer.ts FILE STEPS when`: opens the store, seals what is over, and kills itself after so many steps:
// at once (`within`: while the worker reads an hour), or when the step is done (`after`).
import { open } from '../open-store.ts';
import { sealedBy } from './sealing-samples.ts';

const [, , file = '', steps = '', when = ''] = process.argv;
const store = open(file);
for (let step = 1; store.maintain(sealedBy); step++) {
  if (when === 'after') await store.settled();
  if (step === Number(steps)) process.kill(process.pid, 'SIGKILL');
  await store.settled();
}
store.close();
