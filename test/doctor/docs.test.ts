import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';

const ROOT = join(import.meta.dirname, '../..');

t.test('every check is documented by its id, and no other', async (t) => {
  const places = ['src/doctor/checks', 'src/doctor'];
  const sources = places.flatMap((folder) =>
    readdirSync(join(ROOT, folder)).flatMap((name) =>
      name.endsWith('.ts') ? readFileSync(join(ROOT, folder, name), 'utf8') : [],
    ),
  );
  const ids = sources.flatMap((text) =>
    [...text.matchAll(/\bid: ['`]([a-z0-9-]+)|subjectOf\('([a-z0-9-]+)'/g)].map(([, id, other]) => id ?? other),
  );
  const table = readFileSync(join(ROOT, 'docs/doctor.md'), 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('| `'));
  const documented = table.flatMap((line) =>
    [...(line.split('|')[1] ?? '').matchAll(/`([^`]+)`/g)].map(([, id]) => id),
  );
  const placeless = (id: string | undefined) => id?.replace(/^watched-folder-\d*$/, 'watched-folder');
  t.same([...new Set(documented.map(placeless))].toSorted(), [...new Set(ids.map(placeless))].toSorted());
});
