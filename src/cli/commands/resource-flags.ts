import { WctrError } from '../../errors.ts';
import type { RestartPolicy } from '../../spec/engine-api.ts';

export function integer(text: string, flag: string): number {
  const value = Number(text);
  if (/^-?\d+$/.test(text) && Number.isSafeInteger(value)) return value;
  throw new WctrError('invalid-argument', `invalid value "${text}" for ${flag}: expected a whole number`);
}

const POLICIES = ['no', 'always', 'unless-stopped', 'on-failure'] as const;

/** `on-failure:3`. */
export function readRestartPolicy(text: string): RestartPolicy {
  const [name = '', count, ...more] = text.split(':');
  const policy = POLICIES.find((known) => known === (name === '' ? 'no' : name));
  if (policy === undefined || more.length > 0) {
    throw new WctrError('invalid-argument', `invalid restart policy "${text}"`, {
      hint: `write ${POLICIES.join(', ')} or on-failure:COUNT`,
    });
  }
  if (count === undefined) return { Name: policy, MaximumRetryCount: 0 };
  if (!/^\d+$/.test(count)) {
    throw new WctrError('invalid-argument', 'invalid restart policy: maximum retry count must be an integer');
  }
  if (policy !== 'on-failure' && Number(count) !== 0) {
    throw new WctrError('invalid-argument', `invalid restart policy: no retry count with '${policy}'`);
  }
  return { Name: policy, MaximumRetryCount: Number(count) };
}
