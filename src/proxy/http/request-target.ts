import type { Destination } from '../exit.js';

const HTTP_PORT = 80;
const MAX_PORT = 65_535;
/** Scheme, authority, and the rest. */
const ABSOLUTE = /^([A-Za-z][A-Za-z0-9+.-]*):\/\/([^/?#]*)([^#]*)/;
/** `[IPV6]` or a host without separators, then perhaps a port. User information is refused. */
const AUTHORITY = /^(?:\[([0-9A-Fa-f:.]+)\]|([^\s:@/?#[\]\\]+))(?::([0-9]{0,5}))?$/;

/** The target of a request that goes to an origin server. */
export interface AbsoluteTarget {
  readonly destination: Destination;
  /** For the field `Host`, as the client wrote it. */
  readonly authority: string;
  /** Path and query, in origin-form. */
  readonly path: string;
}

/** A target that cannot be served, with a sentence for the client. */
export interface TargetProblem {
  readonly problem: string;
}

/**
 * Reads the target of a request that is not CONNECT.
 *
 * Source: RFC 9112 §3.2.1, §3.2.2, §3.2.4; RFC 9110 §4.2.4 (user information).
 */
export function parseAbsoluteTarget(target: string, method: string): AbsoluteTarget | TargetProblem {
  if (target.startsWith('/') || target === '*')
    return { problem: 'This is an HTTP proxy, not a web server: set it as the proxy of your program.' };
  const [whole, scheme, authority = '', rest = ''] = ABSOLUTE.exec(target) ?? [];
  if (whole === undefined) return { problem: 'The target of the request is neither a URL nor HOST:PORT.' };
  if (scheme!.toLowerCase() !== 'http')
    return { problem: `The proxy carries http:// itself; ${scheme!.toLowerCase()}:// needs the method CONNECT.` };
  const destination = parseAuthority(authority, HTTP_PORT);
  if (destination === undefined) return { problem: 'The URL of the request has no valid HOST[:PORT].' };
  return { destination, authority, path: originForm(rest, method) };
}

/** Reads HOST:PORT of CONNECT, whose port must be there (RFC 9112 §3.2.3). */
export function parseConnectTarget(target: string): Destination | undefined {
  return parseAuthority(target, undefined);
}

function parseAuthority(text: string, defaultPort: number | undefined): Destination | undefined {
  const [whole, ipv6, name, portText] = AUTHORITY.exec(text) ?? [];
  const host = ipv6 ?? name;
  const port = portText === undefined || portText === '' ? defaultPort : Number(portText);
  if (whole === undefined || host === undefined || port === undefined || port < 1 || port > MAX_PORT) return undefined;
  return { host, port };
}

function originForm(rest: string, method: string): string {
  if (rest === '') return method === 'OPTIONS' ? '*' : '/';
  return rest.startsWith('?') ? `/${rest}` : rest;
}
