import { useMemo } from 'preact/hooks';
import type { Alert } from '../../../src/core/alert.ts';
import { useDashboard, useNow } from '../context.ts';
import { formatDuration, formatMoment } from '../format.ts';
import { firing } from '../model/alert-order.ts';
import { alertAnchor, runPath } from '../route.ts';
import { text } from '../text.ts';
import { Link } from './link.tsx';
import { useRunNames } from './run-names.ts';

/** What is firing now, everywhere, about one run or by one rule: since when, what it is and the first thing to do. */
export const FiringStrip = ({ run, rule }: { readonly run?: string; readonly rule?: string }) => {
  const alerts = useDashboard((state) => state.alerts);
  const shown = useMemo(
    () =>
      firing(alerts).filter(
        (alert) => (run === undefined || alert.run === run) && (rule === undefined || alert.rule === rule),
      ),
    [alerts, run, rule],
  );
  const nameOf = useRunNames();
  if (shown.length === 0) return null;
  return (
    <section aria-label={text.alerts.firing}>
      <ul class="firing">
        {shown.map((alert) => (
          <FiringAlert
            key={alert.id}
            alert={alert}
            about={run === undefined ? (alert.run === null ? alert.subject : nameOf(alert.run)) : null}
          />
        ))}
      </ul>
    </section>
  );
};

/** `about` is what the alert is about; null on the page that is about it. */
const FiringAlert = ({ alert, about }: { readonly alert: Alert; readonly about: string | null }) => {
  const now = useNow();
  const [firstStep] = alert.fix;
  const age = now === null ? null : formatDuration(now - alert.startedAt);
  return (
    <li class={`severity-${alert.severity}`}>
      <span class="severity">{text.severity[alert.severity]}</span>{' '}
      <Link to={alert.run === null ? `alerts#${alertAnchor(alert.id)}` : runPath(alert.run, alert.id)}>
        {alert.title}
      </Link>{' '}
      <span class="soft">
        {about !== null && `${about} · `}
        {age !== null && text.alerts.since(formatMoment(alert.startedAt, now), age)}
      </span>
      <p>{alert.problem}</p>
      {firstStep !== undefined && <p>{text.alerts.firstStep(firstStep)}</p>}
    </li>
  );
};
