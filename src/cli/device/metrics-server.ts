import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { BlockList, isIP } from 'node:net';

import { WireGuardError } from '../../core/errors.js';
import { EXPOSITION_TYPE } from './exposition-text.js';

const PATH = '/metrics';
const LOOPBACK = '127.0.0.1';
const MAX_CONNECTIONS = 64;
const REQUEST_TIMEOUT_MS = 10_000;

/** The address that metrics are served at. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** Reads PORT, ADDRESS:PORT or [IPV6]:PORT. The default address is loopback. @throws {WireGuardError} ERR_USAGE */
export function parseListenAddress(text: string): ListenAddress {
  const [, bracketed, plain, portText] = /^(?:(?:\[([^\]]+)\]|([^:[\]]*)):)?([0-9]{1,5})$/.exec(text) ?? [];
  const named = bracketed ?? plain ?? '';
  const host = named === '' || named === 'localhost' ? LOOPBACK : named;
  const isAddress = isIP(host) === (bracketed === undefined ? 4 : 6);
  const port = Number(portText);
  if (isAddress && port <= 65_535) return { host, port };
  throw new WireGuardError(
    'ERR_USAGE',
    `--listen takes PORT, ADDRESS:PORT or [IPV6]:PORT, not ${JSON.stringify(text)}`,
  );
}

/** Tests whether only this host can reach an address. */
export function isLoopback(host: string): boolean {
  const loopback = new BlockList();
  loopback.addSubnet('127.0.0.0', 8, 'ipv4');
  loopback.addAddress('::1', 'ipv6');
  return loopback.check(host, isIP(host) === 6 ? 'ipv6' : 'ipv4');
}

/**
 * Serves metrics over HTTP until interrupted.
 *
 * @param read Writes the current metrics. Concurrent requests share one reading.
 * @param onListening Receives the address as text.
 * @throws {WireGuardError} ERR_PORT_IN_USE, ERR_SOCKET_REFUSED
 */
export async function serveMetrics(
  address: ListenAddress,
  read: () => Promise<string>,
  interruption: AbortSignal,
  onListening: (url: string) => void,
): Promise<void> {
  const server = createServer(handler(read));
  server.maxConnections = MAX_CONNECTIONS;
  server.requestTimeout = REQUEST_TIMEOUT_MS;
  server.headersTimeout = REQUEST_TIMEOUT_MS;
  const port = await listen(server, address);
  onListening(`http://${isIP(address.host) === 6 ? `[${address.host}]` : address.host}:${port}${PATH}`);
  if (!interruption.aborted) await once(interruption, 'abort');
  const closed = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await closed;
}

function handler(read: () => Promise<string>): (request: IncomingMessage, response: ServerResponse) => void {
  let reading: Promise<string> | undefined;
  const readOnce = async () => {
    reading ??= read().finally(() => {
      reading = undefined;
    });
    return await reading;
  };
  return (request, response) => {
    const answer = (status: number, type: string, body: string) => {
      response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body) });
      response.end(request.method === 'HEAD' ? undefined : body);
    };
    const plain = 'text/plain; charset=utf-8';
    if (request.method !== 'GET' && request.method !== 'HEAD') answer(405, plain, 'Use GET.\n');
    else if (request.url?.replace(/\?.*$/s, '') !== PATH) answer(404, plain, `The metrics are at ${PATH}.\n`);
    else {
      readOnce().then(
        (text) => answer(200, EXPOSITION_TYPE, text),
        () => answer(500, plain, 'The metrics cannot be read.\n'),
      );
    }
  };
}

async function listen(server: Server, { host, port }: ListenAddress): Promise<number> {
  server.listen(port, host);
  try {
    await once(server, 'listening');
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error)) throw error;
    const code = error.code === 'EADDRINUSE' ? 'ERR_PORT_IN_USE' : 'ERR_SOCKET_REFUSED';
    throw new WireGuardError(code, `--listen ${host}:${port}: ${error.message}`, { cause: error });
  }
  const bound = server.address();
  return typeof bound === 'object' && bound !== null ? bound.port : port;
}
