import type { Database } from 'better-sqlite3';
import type { Store } from '../core/ports.ts';

/** The table of rule states, key (rule, subject). */
export type RuleStates = Pick<Store, 'saveRuleStates' | 'ruleStates' | 'dropRuleStates'>;

export const createRuleStates = (db: Database): RuleStates => {
  const all = db.prepare<[], Row>('SELECT * FROM rule_states ORDER BY rule, subject');
  const save = db.prepare<[Row]>(`
    INSERT OR REPLACE INTO rule_states (rule, subject, seen_at, state) VALUES (@rule, @subject, @seen_at, @state)`);
  const drop = db.prepare<[string]>('DELETE FROM rule_states WHERE subject = ?');

  return {
    saveRuleStates: (states) => {
      for (const { rule, subject, seenAt, state } of states) {
        save.run({ rule, subject, seen_at: seenAt, state: JSON.stringify(state) });
      }
    },
    ruleStates: () =>
      all.all().map(({ rule, subject, seen_at, state }) => ({
        rule,
        subject,
        seenAt: seen_at,
        state: JSON.parse(state),
      })),
    dropRuleStates: (subject) => {
      drop.run(subject);
    },
  };
};

type Row = { rule: string; subject: string; seen_at: number; state: string };
