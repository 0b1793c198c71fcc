import { Type } from 'typebox';
import type { Static } from './schema.ts';

/** What came of the lines of one `POST /ingest`. */
export const IngestedSchema = Type.Object(
  {
    run: Type.String({ description: 'id of the run; of the first one where the lines name several' }),
    accepted: Type.Integer({ minimum: 1, description: 'lines taken' }),
    ignored: Type.Integer({ minimum: 0, description: 'lines that could not be taken' }),
    problems: Type.Array(Type.Object({ line: Type.Integer({ minimum: 1 }), problem: Type.String() }), {
      maxItems: 10,
      description: 'why not, of the first ten',
    }),
  },
  { $id: 'Ingested', description: 'What came of the lines' },
);
/** See {@link IngestedSchema}. */
export type Ingested = Static<typeof IngestedSchema>;
