const HIDDEN = '***';

/** Names of options and variables whose value is a secret. */
const SECRET_NAME =
  /(^|[-_.])(token|secret|passw(or)?d|passwd|pwd|credentials?|auth|bearer|(api|access|private|secret|account)[-_]?key|key)$/i;

/** Words that are secrets by their own shape: Hugging Face, GitHub, OpenAI, Slack, AWS, JSON web tokens. */
const SECRET_WORD =
  /\b(hf_[A-Za-z0-9]{16,}|gh[pousr]_[A-Za-z0-9]{20,}|github_pat_\w{20,}|sk-[\w-]{16,}|xox[abprs]-[\w-]{10,}|AKIA[0-9A-Z]{16}|eyJ[\w-]{10,}\.[\w-]+\.[\w-]+)/g;

/**
 * A command line for people, with what looks like a secret cut out: the values of options and variables named like one
 * (`--token X`, `--api-key=X`, `WANDB_API_KEY=X`), logins and secret parameters in URLs, and tokens known by their shape.
 * Better one word too many hidden than one secret shown.
 */
export const cutSecrets = (words: readonly string[]): string => {
  let hideNext = false;
  const shown = words.map((word) => {
    if (hideNext) {
      hideNext = false;
      return HIDDEN;
    }
    const option = /^-{0,2}([\w.-]+)=/.exec(word);
    if (option !== null && SECRET_NAME.test(option[1] ?? '')) return `${option[0]}${HIDDEN}`;
    hideNext = /^--?[\w.-]+$/.test(word) && SECRET_NAME.test(word);
    return word
      .replace(/\b([a-z][\w+.-]*:\/\/)[^/@\s]+@/gi, `$1${HIDDEN}@`)
      .replace(/([?&;]([\w.-]+)=)[^&;#\s]*/g, (all, start: string, name: string) =>
        SECRET_NAME.test(name) || /^(sig|signature)$/i.test(name) ? start + HIDDEN : all,
      )
      .replace(/\b(bearer|basic)\s+\S+/gi, `$1 ${HIDDEN}`)
      .replace(SECRET_WORD, HIDDEN);
  });
  return shown.join(' ');
};
