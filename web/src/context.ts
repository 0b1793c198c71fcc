import { createContext } from 'preact';
import { useContext, useEffect, useState } from 'preact/hooks';
import type { Dashboard } from './state/dashboard.ts';
import type { Location, Place } from './state/location.ts';
import { type Observable, useObservable } from './state/observable.ts';
import type { Session } from './state/session.ts';
import type { Theme } from './state/theme.ts';

/** What main.tsx made and every component may use. */
export type Parts = {
  readonly session: Session;
  readonly location: Location;
  readonly theme: Observable<Theme>;
  /** Address of the dashboard's first page, with the closing slash. */
  readonly base: string;
};

const Context = createContext<Parts | null>(null);

export const PartsProvider = Context.Provider;

export const useParts = (): Parts => {
  const parts = useContext(Context);
  if (!parts) throw new Error('useParts: no <PartsProvider> above this component');
  return parts;
};

export const useSession = (): Session => useParts().session;

/** A part of what is known; `select` returns something that is in the state, not something made new each time. */
export const useDashboard = <T>(select: (state: Dashboard) => T): T => useObservable(useSession().dashboard, select);

export const usePlace = <T>(select: (place: Place) => T): T => useObservable(useParts().location.place, select);

export const useTheme = (): Theme => useObservable(useParts().theme, (theme) => theme);

/** The service's time, renewed every second while the component is there; null before it is known. */
export const useNow = (): number | null => {
  const { clock } = useSession();
  const [, tick] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => tick((count) => count + 1), 1000);
    return () => clearInterval(timer);
  }, []);
  return clock.now();
};
