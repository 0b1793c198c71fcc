import type { Run } from '../../../src/core/run.ts';
import { colorOf } from '../charts/colors.ts';
import { useNow } from '../context.ts';
import { formatDuration, formatFixed, formatMoment } from '../format.ts';
import { mAP, trainLoss } from '../model/run-metrics.ts';
import { runPath } from '../route.ts';
import { useRows } from '../state/use-rows.ts';
import { text } from '../text.ts';
import { Facts } from './facts.tsx';
import { Link } from './link.tsx';
import { RunProgress } from './run-progress.tsx';
import { Sparkline } from './sparkline.tsx';
import { StateBadge } from './state-badge.tsx';

/** An active run at a glance. */
export const RunCard = ({ run, name }: { readonly run: Run; readonly name: string }) => {
  const now = useNow();
  const { rows } = useRows(run);

  return (
    <article class="card run-card">
      <header>
        <h3>
          <Link to={runPath(run.id)}>{name}</Link>
        </h3>
        <StateBadge run={run} />
      </header>
      <RunProgress run={run} name={name} />
      <Facts
        facts={[
          {
            label: text.run.eta,
            value: formatDuration(run.etaAt === null || now === null ? null : run.etaAt - now),
            more: run.etaAt === null ? undefined : text.run.etaAt(formatMoment(run.etaAt, now)),
          },
          {
            label: `${text.run.best} mAP50-95`,
            value: formatFixed(mAP(run.best?.metrics, '50-95'), 3),
            more: run.best === null ? undefined : text.run.bestAt(String(run.best.epoch)),
          },
          { label: `${text.run.latest} mAP50-95`, value: formatFixed(mAP(run.latest?.metrics, '50-95'), 3) },
          { label: `${text.run.latest} mAP50`, value: formatFixed(mAP(run.latest?.metrics, '50'), 3) },
          { label: text.run.gpus, value: run.gpus.join(', ') || '–' },
        ]}
      />
      <Sparkline
        label={text.run.trainLoss}
        values={rows.map((row) => trainLoss(row.metrics))}
        color={colorOf('train/box_loss')}
      />
    </article>
  );
};
