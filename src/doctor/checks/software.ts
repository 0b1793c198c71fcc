import { type Check, check } from '../check.ts';

/** What of the software is there that we stand on. */
export type SoftwareFacts = {
  /** Versions of Node without the `v`: the one that runs, and the one that npm brings along (null: not on this system). */
  readonly node: string;
  readonly pinned: string | null;
  /** `setpriv --pdeathsig` of util-linux works. */
  readonly hasSetpriv: boolean;
  /** `script` is there, and that of util-linux. */
  readonly hasScript: boolean;
  readonly platform: string;
};

const NEEDED = [22, 22] as const;
const INSTALL =
  'install util-linux (Debian, Ubuntu: apt-get install util-linux bsdutils; Alpine: apk add setpriv util-linux-misc)';

export const judgeSoftware = (facts: SoftwareFacts): readonly Check[] => [
  judgeNode(facts),
  ...(facts.platform === 'linux' ? [judgeSetpriv(facts), judgeScript(facts)] : [judgePlatform(facts)]),
];

const judgeNode = ({ node, pinned }: SoftwareFacts): Check => {
  const subject = { id: 'node', group: 'software', title: 'Node' } as const;
  const facts = { node, pinned };
  const [major = 0, minor = 0] = node.split('.').map(Number);
  if (major < NEEDED[0] || (major === NEEDED[0] && minor < NEEDED[1])) {
    const says = `${node} is too old: the database binding crashes on it; ${NEEDED.join('.')} or newer is needed`;
    return check(subject, { status: 'problem', says, facts, fix: ['npm ci, which brings the right Node along'] });
  }
  const says = pinned === null || node === pinned ? node : `${node} (tested with ${pinned}, which npm brings along)`;
  return check(subject, { status: 'ok', says, facts });
};

const judgePlatform = ({ platform }: SoftwareFacts): Check =>
  check(
    { id: 'platform', group: 'software', title: 'System' },
    {
      status: 'warning',
      says: `made for Linux; on ${platform} runs are watched, and most figures of the host and the GPUs are missing`,
      facts: { platform },
    },
  );

const judgeSetpriv = ({ hasSetpriv }: SoftwareFacts): Check =>
  check(
    { id: 'setpriv', group: 'software', title: 'setpriv' },
    hasSetpriv
      ? { status: 'ok', says: 'there: no nvidia-smi outlives a service that is killed', facts: { hasSetpriv } }
      : {
          status: 'warning',
          says: 'not there: where nvidia-smi is used, one may outlive a service that is killed with kill -9',
          facts: { hasSetpriv },
          fix: [INSTALL],
        },
  );

const judgeScript = ({ hasScript }: SoftwareFacts): Check =>
  check(
    { id: 'script', group: 'software', title: 'script' },
    hasScript
      ? { status: 'ok', says: 'there: "signalbox run" keeps the console of a training', facts: { hasScript } }
      : {
          status: 'warning',
          says: 'that of util-linux is not there: "signalbox run" keeps no console log of a training in a terminal',
          facts: { hasScript },
          fix: [INSTALL],
        },
  );
