import { quote } from '../../control/config/secret-text.js';
import { WireGuardError } from '../../core/errors.js';
import type { Forward, ListenAddress } from '../proxy-config.js';
import { bindHost, parseDestination, parseTarget, socketPath } from './place-text.js';

const UDP_SUFFIX = /\/udp$/;
/** Splits at the colons outside of brackets. */
const WORDS = /\[[^\]]*\]|[^:[\]]+|(?<=:|^)(?=:)/g;
const PORT = /^[0-9]{1,5}$/;

/**
 * Reads a forward as ssh has it, `[BIND:]PORT:HOST:HOSTPORT` or `PATH:HOST:HOSTPORT` for `-L`, and `[BIND:]PORT:PATH` as
 * well for `-R`. With `/udp` behind it datagrams are carried.
 *
 * Source: ssh(1), options -L and -R.
 *
 * @throws {WireGuardError} ERR_VALUE
 */
export function parseForward(direction: Forward['direction'], text: string): Forward {
  const protocol = UDP_SUFFIX.test(text) ? 'udp' : 'tcp';
  const { from, to } = readPlaces(direction, text.replace(UDP_SUFFIX, ''), text);
  const isWithPath = 'path' in from || 'path' in to;
  if (protocol === 'udp' && isWithPath) throw invalid(direction, text, 'a UNIX socket carries no datagrams here');
  return { direction, protocol, from, to };
}

function readPlaces(direction: Forward['direction'], spec: string, text: string): Pick<Forward, 'from' | 'to'> {
  if (socketPath(spec) !== undefined) return fromPath(direction, spec, text);
  const words = spec.match(WORDS) ?? [];
  if (words.join(':') !== spec) throw invalid(direction, text, usage(direction));
  const path = words.findIndex((word) => socketPath(word) !== undefined);
  if (path > 0) return toPath(direction, words, path, text);
  const [host = '', hostPort = ''] = words.slice(-2);
  if (words.length < 3 || words.length > 4) throw invalid(direction, text, usage(direction));
  return {
    from: readFrom(direction, words.slice(0, -2), text),
    to: orInvalid(direction, text, () => parseDestination(`${host}:${hostPort}`)),
  };
}

function fromPath(direction: Forward['direction'], spec: string, text: string): Pick<Forward, 'from' | 'to'> {
  if (direction === 'remote') throw invalid(direction, text, 'inside of a tunnel there are ports only, no paths');
  const match = /^(.*?):((?:\[[^\]]+\]|[^:[\]]+):[0-9]+)$/.exec(spec);
  if (match === null) throw invalid(direction, text, usage(direction));
  return { from: { path: socketPath(match[1]!)! }, to: orInvalid(direction, text, () => parseDestination(match[2]!)) };
}

function toPath(direction: Forward['direction'], words: readonly string[], at: number, text: string) {
  if (direction === 'local') throw invalid(direction, text, 'inside of a tunnel there are ports only, no paths');
  const to = parseTarget(words.slice(at).join(':'));
  return { from: readFrom(direction, words.slice(0, at), text), to };
}

/** Without BIND a local forward listens on this host only, a remote one on the addresses of the tunnel. */
function readFrom(direction: Forward['direction'], words: readonly string[], text: string): ListenAddress {
  const [port = ''] = words.slice(-1);
  const bind = words.length > 1 ? words[0]!.replace(/^\[(.*)\]$/, '$1') : undefined;
  if (words.length > 2 || !PORT.test(port) || Number(port) > 65_535) throw invalid(direction, text, usage(direction));
  if (direction === 'local') return { host: bindHost(bind), port: Number(port) };
  return { host: bind === undefined || bind === '*' ? '' : bind, port: Number(port) };
}

function orInvalid<T>(direction: Forward['direction'], text: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof WireGuardError) throw invalid(direction, text, usage(direction));
    throw error;
  }
}

function usage(direction: Forward['direction']): string {
  return direction === 'local'
    ? 'write [BIND:]PORT:HOST:HOSTPORT or PATH:HOST:HOSTPORT'
    : 'write [BIND:]PORT:HOST:HOSTPORT or [BIND:]PORT:PATH';
}

function invalid(direction: Forward['direction'], text: string, why: string): WireGuardError {
  return new WireGuardError('ERR_VALUE', `-${direction === 'local' ? 'L' : 'R'} ${quote(text)}: ${why}`);
}
