// A thread of the benchmark: plays its share of the scenarios and posts each as it is done.
import { parentPort, workerData } from 'node:worker_threads';
import { generate } from './generate.ts';
import { play, type Share } from './play.ts';
import { referenceScenarios } from './reference.ts';

// play.ts started this thread with it.
const { wanted, reference } = workerData as Share;
if (reference === null) for (const one of wanted) parentPort?.postMessage(play(generate(one)));
else for await (const scenario of referenceScenarios(reference, wanted)) parentPort?.postMessage(play(scenario));
