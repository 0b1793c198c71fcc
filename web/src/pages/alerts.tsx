import { useMemo } from 'preact/hooks';
import type { Alert } from '../../../src/core/alert.ts';
import { useDashboard, usePlace, useSession } from '../context.ts';
import { byUrgency } from '../model/alert-order.ts';
import { type AlertFilter, AlertFilters, filterOf } from '../parts/alert-filters.tsx';
import { AlertItem } from '../parts/alert-item.tsx';
import { More } from '../parts/more.tsx';
import { LoadNotice } from '../parts/notice.tsx';
import { PageTitle } from '../parts/page-title.tsx';
import { useRunNames } from '../parts/run-names.ts';
import { useLoad } from '../state/load.ts';
import { text } from '../text.ts';

/** Every alert: what is firing first, then what was. The filters are in the address. */
export const AlertsPage = () => {
  const session = useSession();
  const generation = useDashboard((state) => state.generation);
  const known = useDashboard((state) => state.alerts);
  const query = usePlace((place) => place.query);
  const nameOf = useRunNames();
  const filter = useMemo(() => filterOf(query), [query]);
  const loading = useLoad(() => session.loadAlerts(filter), [session, generation, filter]);
  const alerts = useMemo(() => [...known.values()].sort(byUrgency), [known]);
  const fitting = alerts.filter((alert) => fits(alert, filter));
  const groups = [
    { title: text.alerts.firing, alerts: fitting.filter((alert) => alert.state === 'firing') },
    { title: text.alerts.pending, alerts: fitting.filter((alert) => alert.state === 'pending') },
    { title: text.alerts.resolved, alerts: fitting.filter((alert) => alert.state === 'resolved') },
  ];

  return (
    <>
      <PageTitle title={text.alerts.title} />
      <AlertFilters filter={filter} alerts={alerts} nameOf={nameOf} />
      {groups.map(
        (group) =>
          group.alerts.length > 0 && (
            <section key={group.title}>
              <h2>
                {group.title} <span class="soft">{group.alerts.length}</span>
              </h2>
              {group.alerts.map((alert) => (
                <AlertItem key={alert.id} alert={alert} runName={alert.run === null ? undefined : nameOf(alert.run)} />
              ))}
            </section>
          ),
      )}
      {fitting.length === 0 && loading.state === 'loaded' && <p class="card empty">{text.alerts.none}</p>}
      {loading.state === 'loaded' && (
        <More
          key={`${generation} ${query}`}
          from={loading.value}
          load={(cursor) => session.loadAlerts({ ...filter, cursor })}
        />
      )}
      <LoadNotice loading={loading} />
    </>
  );
};

const fits = (alert: Alert, filter: AlertFilter): boolean =>
  (!filter.state || alert.state === filter.state) &&
  (!filter.severity || alert.severity === filter.severity) &&
  (!filter.rule || alert.rule === filter.rule) &&
  (!filter.run || alert.run === filter.run);
