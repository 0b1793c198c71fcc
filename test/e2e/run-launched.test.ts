import { join } from 'node:path';
import t from 'tap';
import { isActive, type Run } from '../../src/core/run.ts';
import { runWords } from '../launch/run-training.ts';
import { startService } from '../service.ts';
import { followRuns } from './follow-runs.ts';
import { noPython, standInWords, startStandIn } from './stand-in.ts';

type LogLine = { readonly line: string };
type Step = { readonly epoch: number; readonly batch: number; readonly loss: Record<string, number> };

const hasEnded = (run: Run) => !isActive(run);

t.test(
  'a training started by `signalbox run` has its console, its steps, its process and its exit',
  { skip: noPython },
  async (t) => {
    const folder = t.testdir({});
    const launch = (name: string) => {
      const training = startStandIn(folder, runWords(folder, ...standInWords('runs/detect', name)));
      t.teardown(() => training.kill('SIGTERM'));
      training.tell('begin', 'epoch', 'epoch');
      return training;
    };
    const start = () =>
      startService(['--watch', join(folder, 'runs'), '--db', join(folder, 'signalbox.db'), '--gpu', 'off']);
    const early = launch('early');
    let service = await start();
    t.teardown(() => service.stop());
    let told = await followRuns(service.url);
    const [failing, ending] = [launch('failing'), launch('ending')];
    const hasProcess = ({ pids, epochs }: Run) => pids.length > 0 && epochs === 2;
    const [began] = await Promise.all(['early', 'failing', 'ending'].map((name) => told.until(name, hasProcess)));
    const itemsOf = async <T>(route: string) => {
      // The route's answer, in the shape that the contract promises.
      const { items } = (await (await fetch(`${service.url}/api/v1/runs/${began?.run.id}/${route}`)).json()) as {
        items: T[];
      };
      return items;
    };
    const lines = (await itemsOf<LogLine>('log')).map(({ line }) => line);
    t.ok(lines.includes('Starting training for 9 epochs...'), 'a console that began before the service did');
    t.match((await itemsOf<Step>('batches')).at(-1), { epoch: 2, batch: 8, loss: { box_loss: Number } });

    early.kill('SIGTERM');
    failing.tell('exit 3');
    ending.tell('finish');
    const ends = await Promise.all(['early', 'failing', 'ending'].map((name) => told.until(name, hasEnded)));
    const [terminated, failed, finished] = ends;
    t.match(terminated?.run, { state: 'stopped', stateReason: 'terminated' });
    t.match(failed?.run, { state: 'failed', stateReason: 'exit_code' });
    t.match(finished?.run, { state: 'finished', stateReason: 'said_finished' });
    const endedAt = await Promise.all([early.ended, failing.ended, ending.ended]);
    for (const [i, { run, seenAt }] of ends.entries()) {
      const tookMs = seenAt - (endedAt[i] ?? 0);
      t.ok(tookMs < 5000, `${run.name} is told to have ended after ${tookMs} ms`);
    }

    const survivor = launch('survivor');
    await told.until('survivor', hasProcess);
    await service.kill();
    survivor.tell('epoch', 'exit 4');
    await survivor.ended;
    service = await start();
    told = await followRuns(service.url);
    const { run: last } = await told.until('survivor', hasEnded);
    t.match(
      last,
      { epochs: 3, state: 'failed', stateReason: 'exit_code' },
      'a service that is killed ends no training',
    );
    t.notOk(told.statesOf('survivor').includes('stalled'), 'and takes its own absence for no silence');
  },
);
