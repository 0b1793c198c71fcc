import { useMemo } from 'preact/hooks';
import { useDashboard } from '../context.ts';
import { firing } from '../model/alert-order.ts';
import { alertAnchor, runPath } from '../route.ts';
import { text } from '../text.ts';
import { Link } from './link.tsx';
import { useRunNames } from './run-names.ts';

/** What is firing now, each a link to its evidence. Nothing when all is well. */
export const FiringStrip = () => {
  const alerts = useDashboard((state) => state.alerts);
  const now = useMemo(() => firing(alerts), [alerts]);
  const nameOf = useRunNames();
  if (now.length === 0) return null;
  return (
    <section aria-label={text.alerts.firing}>
      <ul class="firing">
        {now.map((alert) => (
          <li key={alert.id} class={`severity-${alert.severity}`}>
            <span class="severity">{text.severity[alert.severity]}</span>{' '}
            <Link to={alert.run === null ? `alerts#${alertAnchor(alert.id)}` : runPath(alert.run, alert.id)}>
              {alert.title}
            </Link>{' '}
            <span class="soft">{alert.run === null ? alert.subject : nameOf(alert.run)}</span>
          </li>
        ))}
      </ul>
    </section>
  );
};
