import { useMemo } from 'preact/hooks';
import { useDashboard, useParts, useTheme } from '../context.ts';
import { formatMoment, formatNumber } from '../format.ts';
import { firing } from '../model/alert-order.ts';
import { isDegraded } from '../model/degraded.ts';
import type { Route } from '../route.ts';
import { toggleTheme } from '../state/theme.ts';
import { useReadiness } from '../state/use-readiness.ts';
import { text } from '../text.ts';
import { Link } from './link.tsx';

/** How often every page asks how the service is doing, in milliseconds. */
const READINESS_MS = 15_000;

/** The top of every page: where one can go, whether the service is there, and whether any of it is real. */
export const PageHeader = ({ page }: { readonly page: Route['page'] }) => {
  const alerts = useDashboard((state) => state.alerts);
  const count = useMemo(() => firing(alerts).length, [alerts]);
  const simulated = useDashboard((state) => state.service)?.simulated ?? null;
  const readiness = useReadiness(READINESS_MS);
  const degraded = isDegraded(readiness, alerts);
  return (
    <>
      <header class="page-header">
        <span class="brand">{text.product}</span>
        <nav aria-label={text.nav.label}>
          <Link to="" current={page === 'runs' || page === 'run'}>
            {text.nav.runs}
          </Link>
          <Link to="gpus" current={page === 'gpus'}>
            {text.nav.gpus}
          </Link>
          <Link to="alerts" current={page === 'alerts'}>
            {text.nav.alerts}
            {count > 0 && <span class="count">{formatNumber(count)}</span>}
          </Link>
          <Link to="health" current={page === 'health'}>
            {text.nav.health}
            {degraded && (
              <span class="degraded" title={text.health.degraded}>
                <span aria-hidden="true">!</span>
                <span class="visually-hidden">{text.health.degraded}</span>
              </span>
            )}
          </Link>
        </nav>
        <ConnectionSign />
        <ThemeButton />
      </header>
      <Away />
      {simulated && (
        <p class="simulated" role="note">
          {text.simulated(formatNumber(simulated.speed))}
        </p>
      )}
    </>
  );
};

const ConnectionSign = () => {
  const connection = useDashboard((state) => state.connection);
  const token = useDashboard((state) => state.token);
  if (connection.state === 'away' || token !== 'fine') return null;
  return (
    <span class={`connection is-${connection.state}`}>
      {connection.state === 'live' ? text.connection.live : text.connection.connecting}
    </span>
  );
};

/** The live region is always there: one that appears together with its text is not read out everywhere. */
const Away = () => {
  const connection = useDashboard((state) => state.connection);
  return (
    <div role="status" class="away">
      {connection.state === 'away' && text.connection.away(formatMoment(connection.sinceAt, connection.sinceAt))}
    </div>
  );
};

const ThemeButton = () => {
  const { theme } = useParts();
  return (
    <button type="button" class="theme" onClick={() => toggleTheme(theme, localStorage)}>
      {text.theme[useTheme()]}
    </button>
  );
};
