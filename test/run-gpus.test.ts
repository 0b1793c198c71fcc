import t from 'tap';
import { assemble, GPU, row, run, T0 } from './assembled.ts';

t.test('a GPU that a run has used stays with it by its UUID, whatever the GPU is called later', async (t) => {
  const { pipeline, store, time } = assemble();
  t.teardown(store.close);
  pipeline.ingest({ gpus: [GPU] });
  pipeline.ingest({ runs: [run([row(1, T0)])] });
  const [{ id } = { id: '' }] = store.listRuns({ limit: 1 }).items;
  const used = [{ subject: 'gpu:GPU-a', firstAt: null, lastAt: null }];
  t.same(store.listRunGpus(id), used);

  time.now += 60_000;
  pipeline.ingest({ gpus: [{ ...GPU, index: 1 }] });
  pipeline.ingest({ runs: [run([row(1, T0), row(2, T0 + 60_000)])] });
  t.same(store.listRunGpus(id), used);
});

t.test('a log makes the period of its GPU longer, and never takes another GPU away', async (t) => {
  const { store, pipeline } = assemble();
  t.teardown(store.close);
  pipeline.ingest({ runs: [run([row(1, T0)], { args: null })] });
  const [{ id } = { id: '' }] = store.listRuns({ limit: 1 }).items;
  store.addRunGpus(id, [{ subject: 'import:x:0', firstAt: 50, lastAt: 60 }]);
  store.addRunGpus(id, [{ subject: 'import:x:0', firstAt: 55, lastAt: 90 }]);
  store.addRunGpus(id, [{ subject: 'import:x:0', firstAt: null, lastAt: null }]);
  store.addRunGpus(id, [{ subject: 'gpu:GPU-a', firstAt: null, lastAt: null }]);
  t.same(store.listRunGpus(id), [
    { subject: 'gpu:GPU-a', firstAt: null, lastAt: null },
    { subject: 'import:x:0', firstAt: 50, lastAt: 90 },
  ]);
});
