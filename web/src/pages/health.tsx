import type { CollectorState } from '../../../src/core/collector-health.ts';
import type { Readiness } from '../../../src/core/service.ts';
import { useDashboard, useNow } from '../context.ts';
import { formatBytes, formatMoment, formatNumber } from '../format.ts';
import { collectorLook, isDegraded, STALE_RULE, splitCollectors } from '../model/degraded.ts';
import { CollectorTable } from '../parts/collector-table.tsx';
import { Facts } from '../parts/facts.tsx';
import { FiringStrip } from '../parts/firing-strip.tsx';
import { PageTitle } from '../parts/page-title.tsx';
import { useReadiness } from '../state/use-readiness.ts';
import { text } from '../text.ts';

/** How often this page asks how the service is doing, in milliseconds. */
const READINESS_MS = 2000;
/** Of thousands of run folders on a share that is gone, so many are named. */
const MOST_FAILING_RUNS = 20;

/** How Signalbox itself is doing: what does not work and what to do, its collectors, its database. */
export const HealthPage = () => {
  const readiness = useReadiness(READINESS_MS);
  return (
    <>
      <PageTitle title={text.health.title} />
      {readiness === null ? (
        <p class="soft">{text.loading}</p>
      ) : (
        <>
          <Troubles readiness={readiness} />
          <Collectors collectors={readiness.collectors} />
          <Database database={readiness.database} />
          <Service />
        </>
      )}
    </>
  );
};

const Troubles = ({ readiness }: { readonly readiness: Readiness }) => {
  const alerts = useDashboard((state) => state.alerts);
  const { database, collectors } = readiness;
  if (!isDegraded(readiness, alerts)) {
    const someFail = collectors.some((collector) => collectorLook(collector) === 'failing');
    return <p>{someFail ? text.health.someFail : text.health.well}</p>;
  }
  return (
    <>
      {!database.writable && (
        <div class="notice" role="alert">
          <p>{text.health.databaseClosed(database.path)}</p>
          <p>{text.health.databaseFix}</p>
        </div>
      )}
      {database.writable && !readiness.ready && (
        <p class="notice" role="alert">
          {text.health.allFail}
        </p>
      )}
      <FiringStrip rule={STALE_RULE} />
    </>
  );
};

const Collectors = ({ collectors }: { readonly collectors: readonly CollectorState[] }) => {
  const { own, runs } = splitCollectors(collectors);
  const failing = runs.filter((collector) => collectorLook(collector) === 'failing');
  return (
    <>
      <section>
        <h2>{text.health.collectors}</h2>
        <CollectorTable collectors={own} />
      </section>
      <section>
        <h2>{text.health.runFolders}</h2>
        <p class="soft">{runFoldersText(runs.length, failing.length)}</p>
        {failing.length > 0 && <CollectorTable collectors={failing.slice(0, MOST_FAILING_RUNS)} />}
      </section>
    </>
  );
};

const runFoldersText = (count: number, failing: number): string => {
  if (count === 0) return text.health.noRunFolders;
  if (failing === 0) return text.health.runFoldersWork(formatNumber(count));
  return text.health.runFoldersFail(formatNumber(failing), formatNumber(count));
};

const Database = ({ database }: { readonly database: Readiness['database'] }) => (
  <section class="card">
    <h2>{text.health.database}</h2>
    <Facts
      facts={[
        { label: text.health.size, value: formatBytes(database.bytes) },
        { label: text.health.writable, value: database.writable ? text.health.yes : text.health.no },
        { label: text.health.file, value: <code>{database.path}</code> },
      ]}
    />
  </section>
);

const Service = () => {
  const service = useDashboard((state) => state.service);
  const now = useNow();
  if (service === null) return null;
  const { health } = text;
  return (
    <section class="card">
      <h2>{health.service}</h2>
      <Facts
        facts={[
          { label: health.version, value: service.version },
          { label: health.host, value: service.host },
          { label: health.startedAt, value: formatMoment(service.startedAt, now) },
          { label: health.gpuSource, value: service.gpuSource },
          {
            label: health.watched,
            value: service.watched.map((path) => (
              <div key={path}>
                <code>{path}</code>
              </div>
            )),
          },
        ]}
      />
    </section>
  );
};
