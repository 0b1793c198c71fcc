/** An element as xml2js makes it with `explicitArray: false`: text, an object of elements, or an array of either. */
export type Element = unknown;

/** The element of this name; undefined where there is none. */
export const elementAt = (element: Element, name: string): Element =>
  typeof element === 'object' && element !== null
    ? Object.entries(element).find(([key]) => key === name)?.[1]
    : undefined;

/** One element and several of a kind look different after xml2js: one is an object, more are an array. */
export const listAt = (element: Element, name: string): readonly Element[] => {
  const found = elementAt(element, name);
  if (Array.isArray(found)) return found;
  return typeof found === 'object' && found !== null ? [found] : [];
};

/** What stands at a dotted path, be it a value or a word for "not known"; null where there is no text. */
export const wordsAt = (element: Element, path: string): string | null => {
  const found = path.split('.').reduce(elementAt, element);
  return typeof found === 'string' && found.trim() !== '' ? found.trim() : null;
};

const NOT_KNOWN =
  /^(N\/A|None|Unknown Error|Not Supported|Not Found|GPU (is lost|requires reset|access blocked.*)|Insufficient Permissions|Function Not Found|Requested functionality has been deprecated)$/i;

/** The text at a dotted path; null where there is none or where it is a word for "not known". */
export const textAt = (element: Element, path: string): string | null => {
  const words = wordsAt(element, path);
  return words === null || NOT_KNOWN.test(words) ? null : words;
};
