import { useEffect } from 'preact/hooks';
import type { Readiness } from '../../../src/core/service.ts';
import { useDashboard, useSession } from '../context.ts';

/** How the service is doing, asked at once and every `everyMs` milliseconds while the page is seen. */
export const useReadiness = (everyMs: number): Readiness | null => {
  const session = useSession();
  const isLive = useDashboard((state) => state.connection.state === 'live' && state.token === 'fine');
  useEffect(() => {
    if (!isLive) return;
    const ask = () => document.visibilityState === 'visible' && session.loadReadiness();
    void ask();
    const timer = setInterval(ask, everyMs);
    return () => clearInterval(timer);
  }, [session, isLive, everyMs]);
  return useDashboard((state) => state.readiness);
};
