import { quote } from '../../control/config/secret-text.js';
import { WireGuardError } from '../../core/errors.js';
import type { Destination } from '../exit.js';
import type { Credentials, Forward, ProxyConfig, ProxyListener } from '../proxy-config.js';
import type { Rule } from '../rules/rule.js';
import { formatListenAddress } from '../server/listen-on.js';
import { isLocalPlace } from './place-text.js';
import type { ProxyFile } from './proxy-file.js';

/** Where a proxy listens if nothing says what it does. */
const DEFAULT_LISTENER: ProxyListener = { protocol: 'any', at: { host: '127.0.0.1', port: 1080 } };
/** Words of rules that are no tunnels. */
const RESERVED_NAMES: ReadonlySet<string> = new Set(['direct', 'block']);

/** The additions of a command line to its files. */
export interface ConfigAdditions {
  readonly listeners: readonly ProxyListener[];
  readonly forwards: readonly Forward[];
  readonly rules: readonly Rule[];
  readonly stdio?: Destination;
  readonly info?: Destination;
  /** For listeners that have none of their own. */
  readonly credentials?: Credentials | undefined;
  /** Programs of other hosts may use listeners without a password. */
  readonly isOpen: boolean;
}

/**
 * Puts files and command line together, and checks what only the whole shows.
 *
 * @throws {WireGuardError} ERR_CONFIG; ERR_OPEN_PROXY for a listener without a password that other hosts reach
 */
export function joinConfig(files: readonly ProxyFile[], additions: ConfigAdditions): ProxyConfig {
  const stdio = additions.stdio ?? files.find((file) => file.stdio !== undefined)?.stdio;
  const forwards = [...additions.forwards, ...files.flatMap((file) => file.forwards)];
  const asked = [...additions.listeners, ...files.flatMap((file) => file.listeners)];
  const isIdle = asked.length === 0 && forwards.length === 0 && stdio === undefined;
  const config: ProxyConfig = {
    tunnels: files.flatMap((file) => file.tunnels),
    rules: [...additions.rules, ...files.flatMap((file) => file.rules)],
    listeners: (isIdle ? [DEFAULT_LISTENER] : asked).map((listener) => withCredentials(listener, additions)),
    forwards,
    ...(stdio !== undefined && { stdio }),
    ...(additions.info !== undefined && { info: additions.info }),
  };
  checkNames(config);
  if (!additions.isOpen) for (const listener of config.listeners) refuseOpen(listener);
  return config;
}

function withCredentials(listener: ProxyListener, { credentials }: ConfigAdditions): ProxyListener {
  return credentials === undefined || listener.credentials !== undefined ? listener : { ...listener, credentials };
}

function checkNames({ tunnels, rules, forwards }: ProxyConfig): void {
  const names = new Set<string>();
  for (const { name } of tunnels) {
    if (RESERVED_NAMES.has(name)) throw invalid(`a tunnel cannot be called ${name}: write NAME=FILE to name it`);
    if (names.has(name)) throw invalid(`two tunnels are called ${quote(name)}: write NAME=FILE to name them`);
    names.add(name);
  }
  const known = `the tunnels are ${[...names].join(', ')}`;
  for (const { way, text } of rules) {
    if (way.kind === 'tunnel' && !names.has(way.tunnel))
      throw invalid(`rule ${quote(text)}: there is no tunnel ${quote(way.tunnel)}: ${known}`);
  }
  for (const { tunnel, from } of forwards) {
    if (tunnel !== undefined && !names.has(tunnel))
      throw invalid(`the forward from ${formatListenAddress(from)}: there is no tunnel ${quote(tunnel)}: ${known}`);
  }
}

function refuseOpen({ at, credentials }: ProxyListener): void {
  if (credentials !== undefined || isLocalPlace(at)) return;
  const message = `${formatListenAddress(at)}: other hosts could use the proxy there, since it has no password`;
  throw new WireGuardError('ERR_OPEN_PROXY', message);
}

function invalid(message: string): WireGuardError {
  return new WireGuardError('ERR_CONFIG', message);
}
