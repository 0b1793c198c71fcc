import { useLayoutEffect, useMemo } from 'preact/hooks';
import { type Parts, PartsProvider, useDashboard, usePlace } from './context.ts';
import { AlertsPage } from './pages/alerts.tsx';
import { GpusPage } from './pages/gpus.tsx';
import { HealthPage } from './pages/health.tsx';
import { RunPage } from './pages/run.tsx';
import { RunsPage } from './pages/runs.tsx';
import { TokenPage } from './pages/token.tsx';
import { Link } from './parts/link.tsx';
import { PageHeader } from './parts/page-header.tsx';
import { parseRoute, type Route } from './route.ts';
import { text } from './text.ts';

/** The whole dashboard. */
export const App = ({ parts }: { readonly parts: Parts }) => (
  <PartsProvider value={parts}>
    <Shell />
  </PartsProvider>
);

const Shell = () => {
  const path = usePlace((place) => place.path);
  const token = useDashboard((state) => state.token);
  const route = useMemo(() => parseRoute(path), [path]);
  useLayoutEffect(() => window.scrollTo(0, 0), [path]);
  return (
    <>
      <PageHeader page={route.page} />
      <main>{token === 'fine' ? <Page key={path} route={route} /> : <TokenPage refused={token === 'refused'} />}</main>
    </>
  );
};

const Page = ({ route }: { readonly route: Route }) => {
  switch (route.page) {
    case 'runs':
      return <RunsPage />;
    case 'run':
      return <RunPage id={route.id} />;
    case 'gpus':
      return <GpusPage />;
    case 'alerts':
      return <AlertsPage />;
    case 'health':
      return <HealthPage />;
    case 'unknown':
      return (
        <p>
          {text.unknownPage} <Link to="">{text.toRuns}</Link>
        </p>
      );
  }
};
