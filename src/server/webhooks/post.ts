import { lookup } from 'node:dns';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { LookupFunction } from 'node:net';

import { parseIpAddress } from '../../control/ip-text.js';
import { type AddressClass, AddressClasses } from '../../policy/address-class.js';
import { embeddedIpv4 } from '../../policy/embedded-ipv4.js';
import type { DeliveryAnswer } from '../../store/webhook-store.js';

const PATIENCE_MS = 10_000;

const CLASSES = new AddressClasses();
/** Places where clouds keep their secrets. */
const REFUSED: ReadonlySet<AddressClass> = new Set(['link-local', 'metadata']);

/** Tests whether no webhook may be posted to an address: link-local ones, and those of the clouds' metadata. */
export function isForbidden(text: string): boolean {
  const address = parseIpAddress(text.split('%')[0]!);
  return (
    address !== undefined &&
    [address, ...embeddedIpv4(address)].some((each) => REFUSED.has(CLASSES.classify(each).class))
  );
}

/** Looks a name up, and refuses it where any of its addresses is forbidden: the address that was tested is dialled. */
const guardedLookup: LookupFunction = (host, options, callback) => {
  lookup(host, { ...options, all: true }, (error, addresses) => {
    const bad = addresses?.find(({ address }) => isForbidden(address));
    if (error !== null) callback(error, '', 0);
    else if (bad !== undefined)
      callback(Object.assign(new Error('forbidden'), { code: 'ERR_FORBIDDEN_ADDRESS' }), '', 0);
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
    if (isForbidden(target.hostname.replace(/^\[|\]$/g, ''))) return end(0, 'ERR_FORBIDDEN_ADDRESS');
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
