import { useCallback, useMemo } from 'preact/hooks';
import { useParts, usePlace } from '../context.ts';
import {
  parseTimeRange,
  type StretchName,
  type TimeRange,
  timeRangeQuery,
  type Window,
  windowOf,
} from '../model/time-range.ts';

/** The time range that the address says, and the ways to another one. */
export type TimeRangeChoice = {
  readonly range: TimeRange;
  /** Shows the last of a stretch; the range before is not kept for the back button. */
  readonly choose: (last: StretchName | null) => void;
  /** Looks closer at a window; the back button, and {@link TimeRangeChoice.back}, lead out of it. */
  readonly zoom: (window: Window) => void;
  /** Shows again what was zoomed into. */
  readonly back: () => void;
};

/** `usual` is what an address without a range shows. */
export const useTimeRange = (usual: StretchName | null): TimeRangeChoice => {
  const { location } = useParts();
  const query = usePlace((place) => place.query);
  const range = useMemo(() => parseTimeRange(query, usual), [query, usual]);
  const go = useCallback(
    (next: TimeRange, options?: { readonly replace: boolean }) => {
      const { path, fragment } = location.place.get();
      location.go(`${path}?${timeRangeQuery(next)}${fragment && `#${fragment}`}`, options);
    },
    [location],
  );
  return useMemo(
    () => ({
      range,
      choose: (last) => go({ last, zoom: null }, { replace: true }),
      zoom: ([from, to]) => go({ ...range, zoom: windowOf(from, to) }),
      back: () => {
        if (range.zoom !== null) go({ ...range, zoom: null });
      },
    }),
    [range, go],
  );
};
