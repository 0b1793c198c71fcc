import { useState } from 'preact/hooks';
import { useSession } from '../context.ts';
import { PageTitle } from '../parts/page-title.tsx';
import { text } from '../text.ts';

/** Asks for the service's token. */
export const TokenPage = ({ refused }: { readonly refused: boolean }) => {
  const session = useSession();
  const [token, setToken] = useState('');
  return (
    <>
      <PageTitle title={text.token.title} />
      <form
        class="card token"
        onSubmit={(event) => {
          event.preventDefault();
          session.signIn(token.trim());
        }}
      >
        <p>{text.token.explain}</p>
        {refused && (
          <p class="notice" role="alert">
            {text.token.refused}
          </p>
        )}
        <label>
          {text.token.label}
          <input
            type="password"
            autocomplete="off"
            required
            value={token}
            onInput={(event) => setToken(event.currentTarget.value)}
          />
        </label>
        <button type="submit">{text.token.submit}</button>
        <p class="soft">{text.token.kept}</p>
      </form>
    </>
  );
};
