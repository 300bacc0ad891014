import { isIP } from 'node:net';

import { quote } from '../../control/config/secret-text.js';
import { WireGuardError } from '../../core/errors.js';
import type { Destination } from '../exit.js';
import type { ListenAddress } from '../proxy-config.js';

const LOOPBACK = '127.0.0.1';
const MAX_PORT = 65_535;
/** `PORT`, `HOST:PORT` or `[IPV6]:PORT`. */
const PLACE = /^(?:(?:\[([^\]]+)\]|([^:[\]]*)):)?([0-9]{1,5})$/;
const MAX_NAME_CHARACTERS = 253;

/**
 * Reads where to listen: `PORT`, `HOST:PORT`, `[IPV6]:PORT`, or the path of a UNIX socket. Without HOST it is this host only;
 * an empty HOST or `*` is every IPv4 address.
 *
 * @throws {WireGuardError} ERR_VALUE
 */
export function parseListenAddress(text: string): ListenAddress {
  const path = socketPath(text);
  if (path !== undefined) return { path };
  const [whole, bracketed, plain, port = ''] = PLACE.exec(text) ?? [];
  const isValid = whole !== undefined && Number(port) <= MAX_PORT && isHost(bracketed, plain ?? LOOPBACK);
  if (!isValid) throw invalid(`${quote(text)} is not [HOST:]PORT; an IPv6 address stands in brackets`);
  return { host: bindHost(bracketed ?? plain), port: Number(port) };
}

/** Reads `HOST:PORT` or `[IPV6]:PORT`. @throws {WireGuardError} ERR_VALUE */
export function parseDestination(text: string): Destination {
  const [whole, bracketed, plain = '', port = ''] = PLACE.exec(text) ?? [];
  const host = bracketed ?? plain;
  const isValid = whole !== undefined && host !== '' && Number(port) >= 1 && Number(port) <= MAX_PORT;
  if (isValid && isHost(bracketed, plain)) return { host, port: Number(port) };
  throw invalid(`${quote(text)} is not HOST:PORT; an IPv6 address stands in brackets`);
}

/** Reads `HOST:PORT`, or the path of a UNIX socket of this host. @throws {WireGuardError} ERR_VALUE */
export function parseTarget(text: string): ListenAddress {
  const path = socketPath(text);
  return path === undefined ? parseDestination(text) : { path };
}

/** Returns the path in `/run/x.sock`, `./x.sock` or `unix:x.sock`; `undefined` for other texts. */
export function socketPath(text: string): string | undefined {
  if (text.startsWith('unix:') && text.length > 'unix:'.length) return text.slice('unix:'.length);
  return text.startsWith('/') || text.startsWith('./') || text.startsWith('../') ? text : undefined;
}

/** Returns the address that a host of a listener means. */
export function bindHost(written: string | undefined): string {
  if (written === undefined || written === 'localhost') return LOOPBACK;
  return written === '' || written === '*' ? '0.0.0.0' : written;
}

/** Tests whether only programs of this host can reach a place. */
export function isLocalPlace(place: ListenAddress): boolean {
  if ('path' in place) return true;
  const host = place.host.toLowerCase();
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

function isHost(bracketed: string | undefined, plain: string): boolean {
  if (bracketed !== undefined) return isIP(bracketed.replace(/%.*$/, '')) === 6;
  return plain.length <= MAX_NAME_CHARACTERS && /^[^\s/\\@?#[\]]*$/.test(plain);
}

function invalid(message: string): WireGuardError {
  return new WireGuardError('ERR_VALUE', message);
}
