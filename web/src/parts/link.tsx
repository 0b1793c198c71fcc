import type { ComponentChildren, CSSProperties } from 'preact';
import { useParts } from '../context.ts';

type Props = {
  /** Address relative to the dashboard's base, such as `runs/r1` or an empty one for the first page. */
  readonly to: string;
  readonly children: ComponentChildren;
  readonly class?: string;
  readonly style?: CSSProperties;
  /** Said and shown instead of the content, where that is only a sign. */
  readonly label?: string;
  readonly current?: boolean;
};

/** A real link: a plain click stays on the page, everything else (new tab, copy, back) works as the browser does it. */
export const Link = ({ to, children, class: name, style, label, current }: Props) => {
  const { location, base } = useParts();
  const follow = (event: MouseEvent) => {
    if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    location.go(to);
  };
  return (
    <a
      href={new URL(to, base).href}
      onClick={follow}
      {...(name ? { class: name } : {})}
      {...(style ? { style } : {})}
      {...(label ? { title: label, 'aria-label': label } : {})}
      {...(current ? { 'aria-current': 'page' as const } : {})}
    >
      {children}
    </a>
  );
};
