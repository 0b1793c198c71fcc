import type { ComponentChildren } from 'preact';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import { useDashboard } from '../context.ts';
import { firing } from '../model/alert-order.ts';
import { text } from '../text.ts';
import { faviconOf } from './favicon.ts';

type Props = { readonly title: string; readonly children?: ComponentChildren };

/** The heading of a page, which gets the focus when the page is opened; the tab's title and icon tell what is firing. */
export const PageTitle = ({ title, children }: Props) => {
  const alerts = useDashboard((state) => state.alerts);
  const now = useMemo(() => firing(alerts), [alerts]);
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (!location.hash) heading.current?.focus({ preventScroll: true });
  }, []);
  useEffect(() => {
    document.title = `${now.length > 0 ? `(${now.length}) ` : ''}${title} · ${text.product}`;
  }, [title, now.length]);
  const [worst] = now;
  useEffect(() => {
    document.querySelector('link[rel=icon]')?.setAttribute('href', faviconOf(worst?.severity ?? null, now.length));
  }, [worst?.severity, now.length]);
  return (
    <div class="page-title">
      <h1 tabIndex={-1} ref={heading}>
        {title}
      </h1>
      {children}
    </div>
  );
};
