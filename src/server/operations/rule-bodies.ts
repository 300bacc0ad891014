import { randomBytes } from 'node:crypto';

import { formatIpPrefix, parseIpRange } from '../../control/ip-text.js';
import type { AccessRule } from '../../policy/access.js';
import { ApiError } from '../server-errors.js';
import type { RuleBody } from './gateway-schemas.js';

const ID_BYTES = 4;

/** Returns a rule as programs and the page get it. */
export function ruleBody({ to, from, ...rest }: AccessRule): RuleBody {
  return {
    ...rest,
    from,
    to: to.kind === 'prefix' ? { kind: 'prefix', prefix: formatIpPrefix(to.prefix) } : to,
  } as RuleBody;
}

/** Reads a rule. One without an id gets one. @throws {ApiError} ERR_INPUT */
export function readRule({ to, id, ports, protocol, action, from }: RuleBody, index: number): AccessRule {
  if (ports !== undefined && (ports.last < ports.first || protocol === 'icmp' || protocol === undefined))
    throw new ApiError('ERR_INPUT', `rules.${index}.ports: a range of ports of tcp or udp is expected`);
  return {
    id: id ?? randomBytes(ID_BYTES).toString('hex'),
    action,
    from,
    to: to.kind === 'prefix' ? { kind: 'prefix', prefix: readPrefix(to.prefix, index) } : to,
    ...(protocol === undefined ? {} : { protocol }),
    ...(ports === undefined ? {} : { ports }),
  };
}

function readPrefix(text: string, index: number) {
  const prefix = parseIpRange(text);
  if (prefix === undefined)
    throw new ApiError('ERR_INPUT', `rules.${index}.to.prefix: a range such as 192.168.1.0/24 is expected`);
  return prefix;
}
