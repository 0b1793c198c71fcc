/**
 * The database cannot be opened. The message names the file, says what was found and what was expected, in one line
 * that can be shown to a person as it is; `cause` holds the error beneath it, where there is one.
 */
export class StoreError extends Error {
  override name = 'StoreError';
}
