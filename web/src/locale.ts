/**
 * The browser's locale, or `en-US` where the browser names one that Intl refuses: Chromium under LANG=C.UTF-8 says
 * `en-US@posix`. uPlot hands navigator.language to Intl while it is being loaded and would throw, so the repaired
 * name is also put in its place. Has to run before anything that imports uPlot.
 */
export const repairLocale = (navigator: Navigator): string => {
  try {
    Intl.getCanonicalLocales(navigator.language);
    return navigator.language;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    Object.defineProperty(navigator, 'language', { value: 'en-US' });
    return 'en-US';
  }
};
