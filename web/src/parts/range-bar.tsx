import { useSession } from '../context.ts';
import { MOVES, STRETCHES, type StretchName } from '../model/time-range.ts';
import { type Span, windowAt } from '../state/use-history.ts';
import type { TimeRangeChoice } from '../state/use-time-range.ts';
import { text } from '../text.ts';

type Props = {
  readonly choice: TimeRangeChoice;
  /** What the charts show now. */
  readonly span: Span;
  /** What to call all that there is; left out where everything has no end. */
  readonly all?: string;
};

/** Chooses what the time axes of a page show: a stretch, or a part of it. Everything that dragging does, by keyboard. */
export const RangeBar = ({ choice, span, all }: Props) => {
  const { clock } = useSession();
  const { last, zoom } = choice.range;
  const move = (by: (typeof MOVES)[keyof typeof MOVES]) => {
    const now = clock.now();
    if (now !== null) choice.zoom(by(windowAt(span, now), now));
  };
  const nameOf = (name: StretchName | null) => (name === null ? (all ?? '') : text.range.stretches[name]);
  // The keys of an object that is written out.
  const stretches = Object.keys(STRETCHES) as StretchName[];
  return (
    <div class="range-bar">
      <fieldset class="choice">
        <legend class="visually-hidden">{text.range.title}</legend>
        {[...(all === undefined ? [] : [null]), ...stretches].map((name) => (
          <label key={name}>
            <input
              type="radio"
              name="range"
              checked={zoom === null && name === last}
              onChange={() => choice.choose(name)}
            />
            <span>{nameOf(name)}</span>
          </label>
        ))}
      </fieldset>
      <div class="range-moves">
        {(Object.keys(MOVES) as (keyof typeof MOVES)[]).map((name) => (
          <button
            key={name}
            type="button"
            title={text.range.moves[name]}
            aria-label={text.range.moves[name]}
            onClick={() => move(MOVES[name])}
          >
            {SIGNS[name]}
          </button>
        ))}
        {zoom !== null && (
          <button type="button" onClick={choice.back}>
            {text.range.back(nameOf(last))}
          </button>
        )}
      </div>
    </div>
  );
};

const SIGNS = { earlier: '‹', later: '›', closer: '+', wider: '−' } as const;
