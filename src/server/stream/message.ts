import { type TSchema, Type } from 'typebox';
import { Value } from 'typebox/value';
import {
  type StreamErrorCode,
  type Subscribe,
  SubscribeSchema,
  TOPICS,
  type Unsubscribe,
  UnsubscribeSchema,
} from '../../core/stream.ts';

/** What a client asked for, or why it could not be understood. */
export type Message =
  | Subscribe
  | Unsubscribe
  | { readonly op: 'ping' }
  | { readonly op: 'error'; readonly code: StreamErrorCode; readonly message: string };

/** Reads one message of a client. */
export const parseMessage = (text: string): Message => {
  const value = parseJson(text);
  if (value === undefined) return refuse('bad_json', 'expected one JSON object, found something else');
  if (!Value.Check(OpSchema, value)) return refuse('unknown_op', `expected an op: ${OPS}`);
  switch (value.op) {
    case 'ping':
      return { op: 'ping' };
    case 'subscribe':
      return Value.Check(SubscribeSchema, value) ? value : explain(SubscribeSchema, value);
    case 'unsubscribe':
      return Value.Check(UnsubscribeSchema, value) ? value : explain(UnsubscribeSchema, value);
  }
  return refuse('unknown_op', `there is no op "${value.op}"; expected ${OPS}`);
};

const OPS = 'subscribe, unsubscribe or ping';
const OpSchema = Type.Object({ op: Type.String() });
const TopicsSchema = Type.Object({ topics: Type.Array(Type.Unknown()) });

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

const explain = (schema: TSchema, value: unknown): Message => {
  if (Value.Check(TopicsSchema, value)) {
    const unknown = value.topics.find((topic) => !TOPICS.some((known) => known === topic));
    if (unknown !== undefined) {
      return refuse('unknown_topic', `there is no topic ${JSON.stringify(unknown)}; expected ${TOPICS.join(', ')}`);
    }
  }
  const error = Value.Errors(schema, value)[0];
  const where = error?.instancePath ? `${error.instancePath.slice(1)}: ` : '';
  return refuse('bad_field', `${where}${error?.message ?? 'does not fit'}`);
};

const refuse = (code: StreamErrorCode, message: string): Message => ({ op: 'error', code, message });
