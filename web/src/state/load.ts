import { useCallback, useEffect, useState } from 'preact/hooks';
import { RequestFailed } from '../api.ts';
import { useDashboard } from '../context.ts';

/** Where a request of a page stands. */
export type Loading<T> = (
  | { readonly state: 'loading' }
  | { readonly state: 'loaded'; readonly value: T }
  | { readonly state: 'failed'; readonly error: RequestFailed }
) & { readonly again: () => void };

/**
 * Runs `load` when the component appears and whenever one of `inputs` changes; an answer to older inputs is dropped.
 * What failed is tried again when the service is back.
 */
export const useLoad = <T>(load: () => Promise<T>, inputs: readonly unknown[]): Loading<T> => {
  type Answer = { readonly value: T } | { readonly error: unknown };
  const [answer, setAnswer] = useState<Answer | null>(null);
  const [round, setRound] = useState(0);
  useEffect(() => {
    let current = true;
    setAnswer(null);
    load().then(
      (value) => current && setAnswer({ value }),
      (error: unknown) => current && setAnswer({ error }),
    );
    return () => {
      current = false;
    };
  }, [...inputs, round]);
  const again = useCallback(() => setRound((count) => count + 1), []);
  const connections = useDashboard((state) => state.connections);
  useEffect(() => {
    if (answer && 'error' in answer) again();
  }, [connections]);
  if (answer === null) return { state: 'loading', again };
  if ('value' in answer) return { state: 'loaded', value: answer.value, again };
  if (answer.error instanceof RequestFailed) return { state: 'failed', error: answer.error, again };
  throw answer.error;
};
