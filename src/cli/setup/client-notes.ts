import type { PeerSection } from '../../control/config/peer-section.js';
import { type ConfigEndpoint, formatConfigEndpoint } from '../../control/config/peer-values.js';
import { WireGuardError } from '../../core/errors.js';
import { readPrefixes } from './client-options.js';
import { checkOption } from './option-values.js';

/**
 * Settings of a client that differ from the defaults of its server. The server's file keeps them as comments of the
 * peer, so that `rotate-peer` writes the same client again.
 */
export interface ClientNotes {
  readonly allowedIps: readonly string[] | undefined;
  readonly dns: string | undefined;
  readonly endpoint: string | undefined;
  /** Seconds; 0: off. */
  readonly persistentKeepalive: number | undefined;
}

const NAMES: Readonly<Record<keyof ClientNotes, string>> = {
  allowedIps: 'ClientAllowedIPs',
  dns: 'ClientDNS',
  endpoint: 'ClientEndpoint',
  persistentKeepalive: 'ClientPersistentKeepalive',
};

/** Reads the notes of a peer. @throws {WireGuardError} ERR_CONFIG if a note is invalid. */
export function readClientNotes(peer: PeerSection, fileName: string): ClientNotes {
  const read = <T>(key: keyof ClientNotes, parse: (text: string, what: string) => T): T | undefined =>
    readNote(fileName, NAMES[key], peer.note(NAMES[key]), parse);
  return {
    allowedIps: read('allowedIps', (text, what) => readPrefixes(what, text)!),
    dns: read('dns', checkDns),
    endpoint: read('endpoint', checkEndpoint),
    persistentKeepalive: read('persistentKeepalive', (text, what) =>
      checkOption<number>(what, 'PersistentKeepalive', text),
    ),
  };
}

/** Writes notes; an `undefined` one is removed. */
export function writeClientNotes(peer: PeerSection, notes: ClientNotes): void {
  peer.setNote(NAMES.allowedIps, notes.allowedIps?.join(', '));
  peer.setNote(NAMES.dns, notes.dns);
  peer.setNote(NAMES.endpoint, notes.endpoint);
  peer.setNote(NAMES.persistentKeepalive, notes.persistentKeepalive?.toString());
}

/**
 * Reads a comment that goes into files of clients, and to terminals.
 *
 * @throws {WireGuardError} ERR_CONFIG naming the file and the comment.
 */
export function readNote<T>(
  fileName: string,
  name: string,
  text: string | undefined,
  parse: (text: string, what: string) => T,
): T | undefined {
  if (text === undefined) return undefined;
  try {
    return parse(text, `# ${name}`);
  } catch (error) {
    if (!(error instanceof WireGuardError)) throw error;
    throw new WireGuardError('ERR_CONFIG', `${fileName}: ${error.message}`, { cause: error });
  }
}

/** @throws {WireGuardError} ERR_VALUE */
export function checkDns(text: string, what: string): string {
  checkOption(what, 'DNS', text);
  return text;
}

/** @throws {WireGuardError} ERR_VALUE */
export function checkEndpoint(text: string, what: string): string {
  return formatConfigEndpoint(checkOption<ConfigEndpoint>(what, 'Endpoint', text));
}
