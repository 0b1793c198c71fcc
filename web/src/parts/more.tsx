import { useState } from 'preact/hooks';
import { useLoad } from '../state/load.ts';
import { text } from '../text.ts';
import { LoadNotice } from './notice.tsx';

type Props = {
  /** Cursor of the page after the first; null: there is none. */
  readonly from: string | null;
  /** Loads a page into the state and returns the cursor of the one after it. */
  readonly load: (cursor: string) => Promise<string | null>;
};

/** A button that loads the next page of a list, as long as there is one. */
export const More = ({ from, load }: Props) => {
  const [asked, setAsked] = useState<string | null>(null);
  const page = useLoad(async () => (asked === null ? from : load(asked)), [asked]);
  if (page.state !== 'loaded') return <LoadNotice loading={page} />;
  const next = page.value;
  return next === null ? null : (
    <button type="button" class="more" onClick={() => setAsked(next)}>
      {text.more}
    </button>
  );
};
