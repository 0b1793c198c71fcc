import type { Run } from '../../../src/core/run.ts';
import { useNow } from '../context.ts';
import { formatDuration, formatFixed, formatMoment, formatNumber } from '../format.ts';
import { mAP } from '../model/run-metrics.ts';
import { STATE_LOOKS } from '../model/run-state.ts';
import { type Fact, Facts } from '../parts/facts.tsx';
import { RunProgress } from '../parts/run-progress.tsx';
import { text } from '../text.ts';

/** The head of a run's page: progress, figures, why it is in its state, its arguments. */
export const RunFacts = ({ run, name }: { readonly run: Run; readonly name: string }) => {
  const now = useNow();
  const { active } = STATE_LOOKS[run.state];
  const until = active ? now : run.endedAt;
  const mark = (epoch: number | undefined) => (epoch === undefined ? undefined : text.run.bestAt(formatNumber(epoch)));
  return (
    <section class="card">
      <RunProgress run={run} name={name} />
      <Facts
        facts={[
          ...(active
            ? [
                {
                  label: text.run.eta,
                  value: formatDuration(run.etaAt === null || now === null ? null : run.etaAt - now),
                  more: run.etaAt === null ? undefined : text.run.etaAt(formatMoment(run.etaAt, now)),
                },
              ]
            : [{ label: text.run.ended, value: formatMoment(run.endedAt, now) }]),
          {
            label: text.run.perEpoch,
            value: formatDuration(run.secondsPerEpoch === null ? null : run.secondsPerEpoch * 1000),
          },
          ...known(text.run.imagesPerSecond, run.imagesPerSecond && formatNumber(run.imagesPerSecond, 3)),
          { label: text.run.started, value: formatMoment(run.startedAt, now) },
          {
            label: text.run.duration,
            value: formatDuration(run.startedAt === null || until === null ? null : until - run.startedAt),
          },
          {
            label: `${text.run.best} mAP50-95`,
            value: formatFixed(mAP(run.best?.metrics, '50-95'), 4),
            more: mark(run.best?.epoch),
          },
          {
            label: `${text.run.latest} mAP50-95`,
            value: formatFixed(mAP(run.latest?.metrics, '50-95'), 4),
            more: mark(run.latest?.epoch),
          },
          ...known(text.run.model, run.model),
          ...known(text.run.framework, run.framework),
          ...known(text.run.gpus, run.gpus.join(', ')),
          { label: text.run.path, value: <code>{run.path}</code> },
        ]}
      />
      {run.rowsKeptOut > 0 && <p class="notice">{text.run.keptOut(run.rowsKeptOut)}</p>}
      {run.stateEvidence.length > 0 && (
        <details open={run.state === 'failed'}>
          <summary>{text.run.evidence}</summary>
          <ul class="plain">
            {run.stateEvidence.map((line) => (
              <li key={line}>
                <code>{line}</code>
              </li>
            ))}
          </ul>
        </details>
      )}
      {run.args !== null && <RunArguments args={run.args} />}
    </section>
  );
};

/** A fact that is only worth its place when it is known. */
const known = (label: string, value: string | number | null): readonly Fact[] => (value ? [{ label, value }] : []);

const RunArguments = ({ args }: { readonly args: Readonly<Record<string, unknown>> }) => {
  const entries = Object.entries(args);
  return (
    <details>
      <summary>{text.run.args(formatNumber(entries.length))}</summary>
      <dl class="arguments">
        {entries.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{typeof value === 'string' ? value : JSON.stringify(value)}</dd>
          </div>
        ))}
      </dl>
    </details>
  );
};
