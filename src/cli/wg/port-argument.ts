import { parseServicePort } from '../../control/service-port.js';
import { WgFailure } from './wg-context.js';

export const NOT_KNOWN = 'Name or service not known';

/** The C library's message for a port that is neither a number nor the name of a UDP service. */
export const NOT_A_SERVICE = 'Servname not supported for ai_socktype';

/** Parses the port of `wg set IF listen-port`; 0: any. @throws {WgFailure} */
export function parsePortArgument(text: string): number {
  if (text === '') throw new WgFailure('Unable to parse empty port');
  if (text === '*') throw new WgFailure(`${NOT_KNOWN}: \`*'`);
  const port = parseServicePort(text);
  if (port === undefined) throw new WgFailure(`${NOT_A_SERVICE}: \`${text}'`);
  return port;
}
