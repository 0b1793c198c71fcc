/** A page of the dashboard; what its URL says and nothing else. */
export type Route =
  | { readonly page: 'runs' }
  | { readonly page: 'run'; readonly id: string }
  | { readonly page: 'gpus' }
  | { readonly page: 'alerts' }
  | { readonly page: 'health' }
  | { readonly page: 'unknown' };

/** Reads a path relative to the base of the dashboard, such as `runs/r1`; no slash at either end. */
export const parseRoute = (path: string): Route => {
  const [head = '', id, ...rest] = path.split('/');
  if (rest.length > 0) return { page: 'unknown' };
  if (head === 'runs' && id !== undefined && id !== '') return { page: 'run', id: decode(id) };
  if (id !== undefined) return { page: 'unknown' };
  if (head === '') return { page: 'runs' };
  if (head === 'gpus') return { page: 'gpus' };
  if (head === 'alerts') return { page: 'alerts' };
  if (head === 'health') return { page: 'health' };
  return { page: 'unknown' };
};

/** The address of a run's page, relative to the base; with an alert, the place where that alert is opened. */
export const runPath = (id: string, alert?: string): string =>
  `runs/${encodeURIComponent(id)}${alert === undefined ? '' : `#${alertAnchor(alert)}`}`;

/** The fragment under which an alert is found on a page. */
export const alertAnchor = (id: string): string => `alert-${id}`;

/** A stray `%` in an address is not an error: it names no run, and that is what the page will say. */
const decode = (part: string): string => {
  try {
    return decodeURIComponent(part);
  } catch (error) {
    if (error instanceof URIError) return part;
    throw error;
  }
};
