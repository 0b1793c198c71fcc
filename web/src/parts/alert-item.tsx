import { useEffect, useRef } from 'preact/hooks';
import type { Alert } from '../../../src/core/alert.ts';
import { useNow, usePlace } from '../context.ts';
import { formatDuration, formatMoment, formatNumber } from '../format.ts';
import { alertAnchor, runPath } from '../route.ts';
import { text } from '../text.ts';
import { AlertEvidence } from './alert-evidence.tsx';
import { Link } from './link.tsx';

const SIGNS = { info: 'i', warning: '!', critical: '‼' } as const;

type Props = {
  readonly alert: Alert;
  /** What to call its run; left out where the page is about that run. */
  readonly runName?: string | undefined;
};

/** One alert: a line that opens to problem, evidence, cause, fix and result. The address can name it and opens it. */
export const AlertItem = ({ alert, runName }: Props) => {
  const anchor = alertAnchor(alert.id);
  const named = usePlace((place) => place.fragment === anchor);
  const details = useRef<HTMLDetailsElement>(null);
  useEffect(() => {
    if (!named || !details.current) return;
    details.current.open = true;
    details.current.scrollIntoView({ block: 'start' });
    details.current.querySelector('summary')?.focus({ preventScroll: true });
  }, [named]);

  return (
    <details class={`alert severity-${alert.severity} is-${alert.state}`} id={anchor} ref={details}>
      <summary>
        <span class="severity">
          <span class="sign" aria-hidden="true">
            {SIGNS[alert.severity]}
          </span>
          {text.severity[alert.severity]}
        </span>
        <span class="alert-title">{alert.title}</span>
        <AlertFacts alert={alert} about={runName} />
      </summary>
      <div class="alert-body">
        <p class="alert-links soft">
          {runName !== undefined && alert.run !== null && <Link to={runPath(alert.run, alert.id)}>{runName}</Link>}{' '}
          <code>{alert.rule}</code> <code>{alert.subject}</code>
        </p>
        <AlertEvidence alert={alert} />
      </div>
    </details>
  );
};

type FactsProps = { readonly alert: Alert; readonly about: string | undefined };

const AlertFacts = ({ alert, about }: FactsProps) => {
  const now = useNow();
  const { alerts } = text;
  const facts = [
    about,
    alert.state !== 'resolved' && text.alertState[alert.state],
    alert.epochs && alerts.epochs(formatNumber(alert.epochs[0]), formatNumber(alert.epochs[1])),
    alert.state === 'resolved'
      ? formatMoment(alert.startedAt, now)
      : now !== null && alerts.for(formatDuration(now - alert.startedAt)),
    alert.state === 'resolved' &&
      alert.resolvedAt !== null &&
      alerts.lasted(formatDuration(alert.resolvedAt - alert.startedAt)),
    alert.count > 1 && alerts.count(formatNumber(alert.count)),
    alert.backfilled && alerts.backfilled,
    alert.inhibitedBy !== null && alerts.inhibited,
    alert.noDataSince !== null && alerts.noData(formatMoment(alert.noDataSince, now)),
  ];
  return <span class="alert-facts soft">{facts.filter((fact) => typeof fact === 'string').join(' · ')}</span>;
};
