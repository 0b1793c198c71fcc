import type { ComponentChildren } from 'preact';

export type Fact = { readonly label: string; readonly value: ComponentChildren; readonly more?: ComponentChildren };

/** Pairs of a word and a value, side by side as far as there is room. */
export const Facts = ({ facts }: { readonly facts: readonly Fact[] }) => (
  <dl class="facts">
    {facts.map(({ label, value, more }) => (
      <div key={label}>
        <dt>{label}</dt>
        <dd>
          {value}
          {more !== undefined && <span class="soft"> {more}</span>}
        </dd>
      </div>
    ))}
  </dl>
);
