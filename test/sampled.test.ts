import t from 'tap';
import { assemble, GPU, T0 } from './assembled.ts';

const sample = (at: number) => ({ subject: `gpu:${GPU.uuid}`, at, values: { utilization: 90 } });
const error = (gpu: string, xid: number) => ({ at: T0, gpu, xid, line: `NVRM: Xid (PCI:${gpu}): ${xid}` });

t.test(
  'a GPU shows its last XID, 0 when there was none, and nothing where the kernel log cannot be read',
  async (t) => {
    const { store, pipeline } = assemble();
    t.teardown(() => store.close());
    const xid = () => store.listGpus()[0]?.latest?.xid;
    pipeline.ingest({ gpus: [{ ...GPU, pciBusId: '0000:61:00' }], samples: [sample(T0)] });
    t.equal(xid(), null);
    pipeline.ingest({ xids: [] });
    pipeline.ingest({ samples: [sample(T0 + 1000)] });
    t.equal(xid(), 0);
    pipeline.ingest({ xids: [error('0000:61:00', 63), error('0000:07:00', 79)] });
    pipeline.ingest({ samples: [sample(T0 + 2000)] });
    t.equal(xid(), 63, 'that of another GPU is not its own');
    pipeline.ingest({ xids: [error(GPU.uuid, 31), error('0000:61:00', 45)] });
    pipeline.ingest({ samples: [sample(T0 + 3000)] });
    t.equal(xid(), 45, 'the newest, whatever the GPU was called');
  },
);

t.test('an XID that the driver tells is shown, but without the kernel log none is never said', async (t) => {
  const { store, pipeline } = assemble();
  t.teardown(() => store.close());
  const xid = () => store.listGpus()[0]?.latest?.xid;
  pipeline.ingest({ gpus: [GPU], driverXids: [], samples: [sample(T0)] });
  t.equal(xid(), null, 'the driver leaves some out');
  pipeline.ingest({ driverXids: [error(GPU.uuid, 31)] });
  pipeline.ingest({ samples: [sample(T0 + 1000)] });
  t.equal(xid(), 31);
});
