import type { Alert } from '../../../src/core/alert.ts';
import type { Run } from '../../../src/core/run.ts';
import type { GpuSample, HostSample } from '../../../src/core/sample.ts';
import type { ServiceFacts } from '../../../src/core/service.ts';
import type { RunEpoch } from '../../../src/core/stream.ts';

/** What each topic of the stream carries: the REST item, an epoch row with its run added. */
export type TopicData = {
  readonly runs: Run;
  readonly epochs: RunEpoch;
  readonly alerts: Alert;
  readonly gpu: GpuSample;
  readonly host: HostSample;
};

/** How a demo's clock runs: so many times as fast as the browser's; null when nothing is simulated. */
export type Simulated = ServiceFacts['simulated'];

export type Snapshot = {
  [T in keyof TopicData]: {
    readonly op: 'snapshot';
    readonly topic: T;
    readonly cursor: string;
    readonly data: readonly TopicData[T][];
  };
}[keyof TopicData];

export type StreamedEvent = {
  [T in keyof TopicData]: {
    readonly op: 'event';
    readonly topic: T;
    readonly cursor: string;
    readonly at: number;
    readonly data: TopicData[T];
  };
}[keyof TopicData];

/** Everything that the service sends on `/api/v1/stream` for what the dashboard subscribes to. */
export type ServerFrame =
  | {
      readonly op: 'welcome';
      readonly cursor: string;
      readonly serverAt: number;
      readonly simulated: Simulated;
    }
  | Snapshot
  | StreamedEvent
  | { readonly op: 'subscribed' }
  | { readonly op: 'pong' }
  | { readonly op: 'lag'; readonly topic: string; readonly dropped: number }
  | { readonly op: 'reset'; readonly reason: string }
  | { readonly op: 'error'; readonly code: string; readonly message: string };

/** Topics that the dashboard lives on. */
export const TOPICS = ['runs', 'epochs', 'alerts', 'gpu', 'host'] as const satisfies readonly (keyof TopicData)[];
