import t from 'tap';
import {
  explainSmiFailure,
  explainSmiRemark,
  parseUnreachableGpus,
  saysNoGpu,
} from '../../../src/collectors/gpu/smi-errors.ts';
import { ERROR_TEXTS, lostText } from '../../simulators/nvidia-smi-faults.js';

t.test('what nvidia-smi says when it gives up becomes plain words, with its own text and exit code', async (t) => {
  t.match(
    explainSmiFailure(9, ERROR_TEXTS[9] ?? ''),
    /^the NVIDIA driver is not loaded: .*exit code 9: "NVIDIA-SMI has failed/,
  );
  t.match(explainSmiFailure(18, ERROR_TEXTS[18] ?? ''), /^the driver was updated .*reboot/);
  t.match(explainSmiFailure(255, ERROR_TEXTS[18] ?? ''), /^the driver was updated/, 'driver 470 ends with 255 instead');
  t.match(explainSmiFailure(12, ERROR_TEXTS[12] ?? ''), /libnvidia-ml\.so\.1 is missing/);
  t.match(explainSmiFailure(15, 'Unable to determine the device handle for GPU1: GPU is lost.'), /fallen off the bus/);
  t.match(explainSmiFailure(9, ''), /driver is not loaded/, 'the exit code alone is enough');
});

t.test('an unknown end is told as it is', async (t) => {
  t.equal(explainSmiFailure(77, 'a new\n sentence\n'), 'nvidia-smi ended with exit code 77: "a new sentence"');
  t.equal(explainSmiFailure(null, ''), 'nvidia-smi was killed and said nothing');
  t.ok(explainSmiFailure(1, 'x'.repeat(9000)).length < 400, 'a long one is shortened');
});

t.test('no GPU is told apart from no driver', async (t) => {
  t.ok(saysNoGpu('No devices were found\n'));
  t.ok(saysNoGpu('No devices found.\n'));
  t.notOk(saysNoGpu(ERROR_TEXTS[9] ?? ''));
});

t.test('a GPU that cannot be opened is not "no GPU", although newer drivers say so too', async (t) => {
  const said = 'Unable to determine the device handle for GPU0: 0: Unknown Error\nNo devices were found\n';
  t.notOk(saysNoGpu(said));
  t.match(explainSmiFailure(6, said), /^a GPU does not answer the driver: /);
});

t.test('which GPU cannot be reached is read in the words of every driver', async (t) => {
  for (const [text, index, pciBusId, trouble] of [
    ['GPU1: 1: GPU is lost.  Reboot the system to recover this GPU', 1, null, 'GPU is lost'],
    ['GPU 1: GPU is lost.  Reboot the system to recover this GPU', 1, null, 'GPU is lost'],
    ['GPU0: Unknown Error', 0, null, 'Unknown Error'],
    ['GPU 0000:0A:00.0: Unknown Error', null, '0000:0a:00', 'Unknown Error'],
    ['GPU0000:3B:00.0: GPU is lost.  Reboot', null, '0000:3b:00', 'GPU is lost'],
  ] as const) {
    const said = `Unable to determine the device handle for ${text}\n\n`;
    t.same(parseUnreachableGpus(said), [{ index, pciBusId, trouble }], text);
  }
  t.same(parseUnreachableGpus(ERROR_TEXTS[9] ?? ''), []);
  const two = [0, 3].map((gpu) => lostText('580.65.06', { kind: 'lost', gpu })).join('');
  t.same(
    parseUnreachableGpus(two).map(({ index }) => index),
    [0, 3],
  );
  t.match(explainSmiRemark(two), /^GPU 0 cannot be reached \(GPU is lost\), GPU 3 cannot be reached/);
  t.match(explainSmiRemark('a new warning\n'), /^nvidia-smi -q -x: a new warning$/);
});
