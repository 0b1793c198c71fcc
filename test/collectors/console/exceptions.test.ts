import t from 'tap';
import { hear, NOTHING_SAID } from '../../../src/core/output-facts.ts';
import { codesOf, epochOf, eventsOf, only, opening, ownBar, tqdmBar } from './lines.ts';

const endsOf = (log: string) => only('end', eventsOf(log));
const lastEnd = (log: string) => endsOf(log).at(-1);
/** How the training ended when all is said. */
const endingOf = (log: string) => eventsOf(log).reduce(hear, NOTHING_SAID).ending;

const FRAMES = `  File "train.py", line 9, in <module>\n    model.train()\n`;
const traceback = (...error: readonly string[]) => `Traceback (most recent call last):\n${FRAMES}${error.join('\n')}\n`;

t.test('each failure is known by the words of its version', async (t) => {
  const failures: Readonly<Record<string, readonly string[]>> = {
    cuda_out_of_memory: [
      'torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 1.45 GiB. GPU 0 has a total capacity of 5.78 GiB',
      'torch.cuda.OutOfMemoryError: CUDA out of memory. Tried to allocate 20.00 MiB',
      'RuntimeError: CUDA out of memory. Tried to allocate 294.00 MiB (GPU 0; 6.00 GiB total capacity; 4 GiB)',
    ],
    dataloader_worker_died: [
      'RuntimeError: DataLoader worker (pid(s) 8680, 8156) exited unexpectedly',
      'RuntimeError: DataLoader worker (pid 8680) is killed by signal: Killed.',
    ],
    dataset_missing: [
      "FileNotFoundError: Dataset 'a.yaml' images not found, missing path '/x/val'",
      "RuntimeError: Dataset '/x/a.yaml' error ❌ Dataset '/x/a.yaml' images not found ⚠️, missing path '/x/val'",
      "FileNotFoundError: 'a.yaml' does not exist",
      'Exception: Dataset not found ❌',
      'FileNotFoundError: train: Error loading data from /x/train',
    ],
    nan_loss: [
      'RuntimeError: Training failed: NaN persisted for 4 epochs',
      'RuntimeError: Checkpoint runs/detect/train/weights/last.pt is corrupted with NaN/Inf weights',
    ],
    shared_memory_full: [
      "RuntimeError: DataLoader worker (pid 8) is killed by signal: Bus error. It is possible that dataloader's workers are out of shared memory.",
      'RuntimeError: unable to write to file </torch_26_3>: No space left on device (28)',
    ],
    disk_full: ['OSError: [Errno 28] No space left on device'],
    error_in_log: [
      "FileNotFoundError: [Errno 2] No such file or directory: 'yolo11x.pt'",
      "FileNotFoundError: '/runs/train/weights/best.pt' does not exist",
      'AssertionError: ERROR ❌️ class count mismatch',
    ],
  };
  for (const [code, errors] of Object.entries(failures)) {
    for (const error of errors) {
      t.match(endsOf(`${opening()}${error}\n`), [{ reason: 'exception', code, error }], error);
      t.match(endsOf(opening() + traceback(error)), [{ reason: 'exception', code, error }]);
      t.match(
        endsOf(opening() + traceback(error).replace(/^(?=.)/gm, '[rank1]: ')),
        [{ code, error }],
        'of a DDP rank',
      );
      t.ok(codesOf(`${error}\n`).includes(code));
    }
  }
});

t.test('an exception is seen behind a bar on the same line, in both styles', async (t) => {
  for (const bar of [tqdmBar, ownBar]) {
    const open = bar({ epoch: '1/3', losses: [1, 1, 1], done: 30, total: 244 });
    t.match(endsOf(`${opening()}${open}${traceback('torch.OutOfMemoryError: CUDA out of memory.')}`), [
      { code: 'cuda_out_of_memory' },
    ]);
    t.match(endsOf(`${opening()}${open}torch.OutOfMemoryError: CUDA out of memory.\n`), [
      { code: 'cuda_out_of_memory' },
    ]);
    t.match(endsOf(`${opening()}${open}^CTraceback (most recent call last):\n${FRAMES}KeyboardInterrupt\n`), [
      { reason: 'interrupted' },
    ]);
  }
});

t.test('a message of several lines is kept up to its end', async (t) => {
  const log =
    traceback('RuntimeError: CUDA error: device-side assert triggered', 'CUDA kernel errors might be asynchronous.') +
    '\nroot@host:~# \n';
  t.equal(
    lastEnd(log)?.error,
    'RuntimeError: CUDA error: device-side assert triggered\nCUDA kernel errors might be asynchronous.',
  );
});

t.test('of chained exceptions the last one counts', async (t) => {
  const log = `${traceback('KeyError: 1')}\nDuring handling of the above exception, another exception occurred:\n\n${traceback('ValueError: two')}\nThe above exception was the direct cause of the following exception:\n\n${traceback('RuntimeError: three')}`;
  t.match(lastEnd(log), { error: 'RuntimeError: three' });
});

t.test('a parent that says that its child failed does not hide why', async (t) => {
  const log = `${traceback('torch.OutOfMemoryError: CUDA out of memory.')}${traceback("subprocess.CalledProcessError: Command '[python]' returned non-zero exit status 1.")}`;
  t.match(lastEnd(log), { code: 'cuda_out_of_memory' });
  t.match(lastEnd(traceback("subprocess.CalledProcessError: Command '[x]' died")), { code: 'error_in_log' });
});

t.test('what kills the workers counts more than that they died', async (t) => {
  const died = traceback('RuntimeError: DataLoader worker (pid(s) 8) exited unexpectedly');
  const bus = traceback(
    'RuntimeError: DataLoader worker (pid 8) is killed by signal: Bus error. Workers are out of shared memory.',
  );
  t.match(lastEnd(bus + died), { code: 'shared_memory_full' });
  t.match(lastEnd(traceback('KeyboardInterrupt') + died), { reason: 'interrupted', code: 'interrupted' });
});

t.test('an exception of a thread ends nothing, even where its first line is missing', async (t) => {
  const body = `Traceback (most recent call last):\n  File "/lib/threading.py", line 932, in _bootstrap_inner\n    self.run()\nAttributeError: no attribute 'getsize'\n`;
  for (const log of [
    body,
    `Exception in thread Thread-30:\n${body}`,
    `Exception in thread Thread-1:\n${traceback('KeyError: 1')}`,
  ]) {
    t.same(endsOf(log), []);
    t.ok(codesOf(log).includes('thread_exception'));
  }
});

t.test('a training that goes on after a printed exception had not ended', async (t) => {
  t.match(endingOf(opening() + traceback('ValueError: caught')), { state: 'failed' });
  t.equal(endingOf(opening() + traceback('ValueError: caught') + epochOf(1)), null);
});

t.test('the traceback of a notebook is read', async (t) => {
  const log = `---------------------------------------------------------------------------
\x1b[31mValueError\x1b[39m                                Traceback (most recent call last)
Cell In[14], line 1
----> 1 get_stats()

File c:\\x\\main.py:237, in get_stats()
--> 237 generate(config)

\x1b[31mValueError\x1b[39m: not enough values to unpack (expected 3, got 0)

root_path: C:\\x
`;
  t.match(endsOf(log), [{ reason: 'exception', error: 'ValueError: not enough values to unpack (expected 3, got 0)' }]);
});

t.test('an early stop is one, with the words for it, and all epochs done is the other', async (t) => {
  const stop =
    'EarlyStopping: Training stopped early as no improvement observed in last 10 epochs. Best results observed at epoch 9, best model saved as best.pt.';
  const done = '19 epochs completed in 0.189 hours.';
  t.match(endsOf(`${opening()}\x1b[34m\x1b[1mEarlyStopping: \x1b[0m${stop.slice(15)}\n\n${done}\n`), [
    { reason: 'early_stopped', said: `${stop}\n${done}` },
  ]);
  t.match(endsOf(`${opening()}Stopping training early as no improvement observed in last 10 epochs.\n${done}\n`), [
    { reason: 'early_stopped' },
  ]);
  t.match(endsOf(`${opening()}${done}\n`), [{ reason: 'finished', said: done }]);
  t.match(endingOf(`${opening()}${done}\n`), { state: 'finished', lines: [done] });
});

t.test('what fails in a script after its training went well does not make the training fail', async (t) => {
  const done = `${opening()}3 epochs completed in 0.1 hours.\n`;
  const failure = traceback('NameError: plot');
  t.match(endingOf(`${done}Results saved to runs/detect/train\n${failure}`), { state: 'finished' });
  t.match(endingOf(done + failure), { state: 'failed' }, 'but the final validation is part of it');
});

t.test('a training that is done right behind a printed exception is done', async (t) => {
  t.match(endingOf(`${opening()}${traceback('ValueError: caught')}3 epochs completed in 0.1 hours.\n`), {
    state: 'finished',
  });
});

t.test('words that only look like an exception are none', async (t) => {
  const log = 'Errors: 0\nWARNING ⚠️ ConnectionError: hub\n  ValueError: indented in a message\nErrorHandler ready\n';
  t.same(endsOf(log), []);
});
