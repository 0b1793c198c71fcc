/** The system's code of an error, such as EACCES; its message where it has none. */
export const codeOfError = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error);
  return 'code' in error && typeof error.code === 'string' ? error.code : error.message;
};

/** null: it went well; else the code of the error. */
export const tryTo = (act: () => void): string | null => {
  try {
    act();
    return null;
  } catch (error) {
    return codeOfError(error);
  }
};
