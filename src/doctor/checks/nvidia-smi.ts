import { type Check, check } from '../check.ts';
import type { SmiFacts } from '../facts/nvidia-smi.ts';
import { listed, msInWords } from '../wording.ts';

/** Without persistence mode each start of the program initialises every GPU first. */
const SLOW_MS = 1000;

export const judgeNvidiaSmi = (facts: SmiFacts, whenItHangs: readonly string[]): Check => {
  const subject = { id: 'nvidia-smi', group: 'gpu', title: 'nvidia-smi' } as const;
  switch (facts.kind) {
    case 'missing':
      return check(subject, {
        status: 'warning',
        says: `cannot be started (${facts.code}): where NVML fails there is no second way to the GPUs`,
        facts,
        fix: ['it comes with the driver (nvidia-utils, nvidia-driver-cuda); --nvidia-smi PATH names it elsewhere'],
      });
    case 'hung':
      return check(subject, {
        status: 'problem',
        says: `did not answer ${facts.asked} within ${msInWords(facts.afterMs)} and was killed: the driver hangs, or initialises its GPUs`,
        facts,
        fix: whenItHangs,
      });
    case 'failing':
      return check(subject, { status: 'problem', says: facts.why, facts });
    case 'no-gpu':
      return check(subject, { status: 'warning', says: 'answers, and finds no GPU', facts });
    case 'answers': {
      const { tookMs, withoutField } = facts;
      const without = withoutField.length === 0 ? '' : `; has no field for ${listed(withoutField, 8)}`;
      const says = `answers in ${msInWords(tookMs)}${without}`;
      return tookMs < SLOW_MS
        ? check(subject, { status: 'ok', says, facts })
        : check(subject, {
            status: 'warning',
            says: `${says}: slow, as without persistence mode`,
            facts,
            fix: ['sudo nvidia-smi -pm 1, or enable the service nvidia-persistenced'],
          });
    }
  }
};
