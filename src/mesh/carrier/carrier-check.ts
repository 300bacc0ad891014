import { WireGuardError } from '../../core/errors.js';
import type {} from '../mesh-errors.js';
import { openWebSocket, proxyFor } from './carrier-link.js';

type Variables = Readonly<Record<string, string | undefined>>;

const CERTIFICATE = /^(CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|ERR_TLS_CERT|HOSTNAME_MISMATCH)/;
const NOT_TLS = /^(EPROTO|ERR_SSL_)/;

/** Connects once, and ends the connection. @throws {WireGuardError} ERR_CARRIER: why no hub is reached. */
export async function checkCarrier(url: string, environment: Variables = process.env): Promise<void> {
  const webSocket = openWebSocket(url, environment);
  try {
    await new Promise<void>((resolve, reject) => {
      webSocket.on('error', reject);
      webSocket.once('open', resolve);
    });
  } catch (error) {
    throw new WireGuardError('ERR_CARRIER', failureText(url, error as Error, environment), { cause: error });
  } finally {
    webSocket.terminate();
  }
}

/** Says in one sentence why a connection could not be made, and what helps. What the URL has beside host and path may be secret. */
export function failureText(url: string, error: Error, environment: Variables = process.env): string {
  const { protocol, host, hostname, pathname } = new URL(url);
  const proxy = proxyFor(url, environment);
  const way = proxy === undefined ? '' : ` through the proxy ${proxy.host}`;
  return `${protocol}//${host}${pathname}${way}: ${reasonOf(error, proxy?.hostname ?? hostname)}`;
}

function reasonOf(error: Error, hostname: string): string {
  const { code = '', message } = error as NodeJS.ErrnoException;
  const status = /^Unexpected server response: (\d+)$/.exec(message)?.[1];
  if (status !== undefined) return statusText(status);
  if (CERTIFICATE.test(code))
    return `the certificate was refused (${message}); NODE_EXTRA_CA_CERTS=FILE adds an authority of your own`;
  if (NOT_TLS.test(code)) return 'no TLS is spoken there; a page without a certificate is reached by ws://';
  switch (code) {
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `the name ${hostname} was not found; check its spelling and the DNS of this host`;
    case 'ECONNREFUSED':
      return 'the connection was refused; start the hub, and check the port';
    case 'ECONNRESET':
      return 'the connection was broken off; a page with a certificate is reached by wss://';
    default:
      return /handshake has timed out/.test(message) || code === 'ETIMEDOUT'
        ? 'there was no answer; check the address, and whether a firewall lets TCP through'
        : message;
  }
}

function statusText(status: string): string {
  switch (status) {
    case '404':
      return 'there is no hub (404); the path is /carry, at the page of wiretype hub';
    case '407':
      return 'the proxy wants a password (407); HTTPS_PROXY=http://NAME:PASSWORD@HOST:PORT has one';
    case '503':
      return 'the hub has too many connections (503); end others of this address';
    default:
      return `the answer was ${status} in place of a WebSocket; a proxy in front of the hub has to let WebSockets through`;
  }
}
