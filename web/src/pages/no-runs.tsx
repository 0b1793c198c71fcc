import { useDashboard } from '../context.ts';
import { text } from '../text.ts';

/** The first thing that a new user sees: where runs are searched, and how to get one there. */
export const NoRuns = () => {
  const watched = useDashboard((state) => state.service)?.watched ?? [];
  const { empty } = text.runs;
  const [folder] = watched;
  return (
    <section class="card empty">
      <h2>{empty.title}</h2>
      {folder === undefined ? (
        <p>{empty.watchedNone}</p>
      ) : (
        <>
          <p>{empty.watched}</p>
          <ul>
            {watched.map((path) => (
              <li key={path}>
                <code>{path}</code>
              </li>
            ))}
          </ul>
          <p>{empty.start}</p>
          <pre>{empty.command(folder)}</pre>
        </>
      )}
      <p>{empty.other}</p>
      <pre>{empty.watch}</pre>
    </section>
  );
};
