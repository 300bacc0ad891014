import { lookup } from 'node:dns';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { LookupFunction } from 'node:net';

import { parseIpAddress } from '../../control/ip-text.js';
import type { DeliveryAnswer } from '../../store/webhook-store.js';

const PATIENCE_MS = 10_000;

/** Tests for link-local addresses, where clouds keep their secrets: 169.254/16, fe80::/10, and both mapped into IPv6. */
export function isLinkLocal(text: string): boolean {
  const address = parseIpAddress(text.split('%')[0]!);
  if (address === undefined) return false;
  const isMapped = address.length === 16 && address.subarray(0, 10).every((byte) => byte === 0);
  const [a, b] = address.length === 4 ? address : isMapped ? address.subarray(12) : address;
  if (address.length === 4 || isMapped) return a === 169 && b === 254;
  return a === 0xfe && (b! & 0xc0) === 0x80;
}

/** Looks a name up, and refuses it where any of its addresses is link-local: the address that was tested is dialled. */
const guardedLookup: LookupFunction = (host, options, callback) => {
  lookup(host, { ...options, all: true }, (error, addresses) => {
    const bad = addresses?.find(({ address }) => isLinkLocal(address));
    if (error !== null) callback(error, '', 0);
    else if (bad !== undefined) callback(Object.assign(new Error('link-local'), { code: 'ERR_LINK_LOCAL' }), '', 0);
    else if (options.all === true) callback(null, addresses);
    else callback(null, addresses[0]!.address, addresses[0]!.family);
  });
};

/** Posts a body, follows no redirection, and reads no more than the status. Never throws. */
export function post(
  url: string,
  headers: Record<string, string>,
  body: string,
  nowUnixMs: number,
): Promise<DeliveryAnswer> {
  return new Promise((resolve) => {
    const end = (status: number, error?: string): void =>
      resolve({ atUnixMs: nowUnixMs, status, ...(error === undefined ? {} : { error }) });
    const target = new URL(url);
    if (isLinkLocal(target.hostname.replace(/^\[|\]$/g, ''))) return end(0, 'ERR_LINK_LOCAL');
    const send = target.protocol === 'https:' ? httpsRequest : httpRequest;
    const options = {
      method: 'POST',
      lookup: guardedLookup,
      timeout: PATIENCE_MS,
      headers: { ...headers, 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
    };
    send(target, options, (response) => {
      response.destroy();
      end(response.statusCode ?? 0);
    })
      .on('timeout', function (this: { destroy: (error: Error) => void }) {
        this.destroy(Object.assign(new Error('no answer'), { code: 'ETIMEDOUT' }));
      })
      .on('error', (error: NodeJS.ErrnoException) => end(0, error.code ?? error.message))
      .end(body);
  });
}
