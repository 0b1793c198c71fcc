import type { StreamEvent } from './ports.ts';

/** Hands every event to every listener, in order. A listener that throws is dropped and reported, the others go on. */
export type Bus = {
  readonly publish: (events: readonly StreamEvent[]) => void;
  /** Returns the function that ends the subscription. */
  readonly subscribe: (listener: (event: StreamEvent) => void) => () => void;
};

/** `onError` hears of a listener that threw. */
export const createBus = (onError: (error: unknown) => void): Bus => {
  const listeners = new Set<(event: StreamEvent) => void>();
  return {
    publish: (events) => {
      for (const event of events) {
        for (const listener of listeners) {
          try {
            listener(event);
          } catch (error) {
            listeners.delete(listener);
            onError(error);
          }
        }
      }
    },
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
};
