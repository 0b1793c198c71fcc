import type { Loading } from '../state/load.ts';
import { text } from '../text.ts';

/** Says that something is being loaded or could not be; nothing once it is there. */
export const LoadNotice = ({ loading }: { readonly loading: Loading<unknown> }) => {
  switch (loading.state) {
    case 'loaded':
      return null;
    case 'loading':
      return <p class="soft">{text.loading}</p>;
    case 'failed':
      return (
        <p class="notice" role="alert">
          {text.failed(loading.error.message)}{' '}
          <button type="button" onClick={loading.again}>
            {text.retry}
          </button>
        </p>
      );
  }
};
