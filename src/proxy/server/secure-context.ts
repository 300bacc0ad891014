import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { createSecureContext, type SecureContext, TLSSocket } from 'node:tls';

import { WireGuardError } from '../../core/errors.js';
import type { ProxyListener } from '../proxy-config.js';

/** RFC 7301 §3.1: one protocol, with its length in front. Browsers would take HTTP/2 otherwise. */
const ALPN = Buffer.from('\x08http/1.1', 'latin1');

/** Reads both files, and checks that they belong together. @throws {WireGuardError} ERR_CERTIFICATE */
export function readCertificate({ certFile, keyFile }: NonNullable<ProxyListener['certificate']>): SecureContext {
  const [cert, key] = [read(certFile), read(keyFile)];
  try {
    return createSecureContext({ cert, key });
  } catch (error) {
    throw unusable(`${certFile} and ${keyFile} cannot be used: ${(error as Error).message}`, error);
  } finally {
    key.fill(0);
  }
}

/** Speaks TLS with a client. The handshake begins when the stream is read. */
export function secureStream(socket: Socket, secureContext: SecureContext): TLSSocket {
  return new TLSSocket(socket, { isServer: true, secureContext, ALPNProtocols: ALPN });
}

function read(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw unusable(`cannot read ${path}: ${(error as Error).message}`, error);
  }
}

function unusable(message: string, cause: unknown): WireGuardError {
  return new WireGuardError('ERR_CERTIFICATE', message, { cause });
}
