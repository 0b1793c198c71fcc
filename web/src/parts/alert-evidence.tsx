import type { Alert, Cause } from '../../../src/core/alert.ts';
import { formatDuration, formatPercent, formatUnit, UNKNOWN } from '../format.ts';
import { text } from '../text.ts';

/** Why an alert fired and what to do: problem, evidence, cause, fix, result. */
export const AlertEvidence = ({ alert }: { readonly alert: Alert }) => {
  const { alerts } = text;
  return (
    <div class="evidence">
      <section>
        <h3>{alerts.problem}</h3>
        <p>{alert.problem}</p>
        {alert.forecastS !== null && <p>{alerts.forecast(formatDuration(alert.forecastS * 1000))}</p>}
      </section>
      {alert.evidence.length > 0 && <EvidenceTable evidence={alert.evidence} />}
      <section>
        <h3>{alerts.cause}</h3>
        {alert.cause ? <CauseText cause={alert.cause} /> : <p class="soft">{alerts.noCause}</p>}
      </section>
      {alert.fix.length > 0 && (
        <section>
          <h3>{alerts.fix}</h3>
          <ol>
            {alert.fix.map((step) => (
              <li key={step}>{step}</li>
            ))}
          </ol>
        </section>
      )}
      {alert.result !== null && (
        <section>
          <h3>{alerts.result}</h3>
          <p>{alert.result}</p>
        </section>
      )}
    </div>
  );
};

const EvidenceTable = ({ evidence }: Pick<Alert, 'evidence'>) => {
  const { name, value, expected } = text.alerts.evidenceColumns;
  return (
    <section>
      <h3>{text.alerts.evidence}</h3>
      <table class="small">
        <thead>
          <tr>
            <th scope="col">{name}</th>
            <th scope="col" class="figure">
              {value}
            </th>
            <th scope="col" class="figure">
              {expected}
            </th>
          </tr>
        </thead>
        <tbody>
          {evidence.map((fact) => (
            <tr key={fact.name}>
              <th scope="row">{fact.name}</th>
              <td class="figure">{formatUnit(fact.value, fact.unit)}</td>
              <td class="figure">{fact.expected === undefined ? UNKNOWN : formatUnit(fact.expected, fact.unit)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
};

const CauseText = ({ cause }: { readonly cause: Cause }) => (
  <>
    <p>
      {cause.text} <span class="soft">{text.alerts.confidence(formatPercent(cause.confidence * 100))}</span>
    </p>
    <Words label={text.alerts.signals} words={cause.signals} />
    <Words label={text.alerts.missing} words={cause.missing} />
  </>
);

const Words = ({ label, words }: { readonly label: string; readonly words: readonly string[] }) =>
  words.length === 0 ? null : (
    <p class="soft">
      {label}: {words.join(', ')}
    </p>
  );
