import { readAttributes, readText } from './attributes.js';
import type { NetlinkExchange, Outcome } from './exchange.js';
import { FLAG_DUMP } from './messages.js';

/** Source: rtnetlink(7), linux/rtnetlink.h, linux/if_link.h. */
const GET_LINK = 18;
/** `struct ifinfomsg`, all zeros: every link. */
const LINK_HEADER_BYTES = 16;
const LINK_NAME = 3;
const LINK_INFO = 18;
const INFO_KIND = 1;

/** Lists the links of a kind, such as `wireguard`, in the kernel's order. @param names Receives the names. */
export function listLinks(exchange: NetlinkExchange, kind: string, names: string[]): Outcome {
  const payload = new Uint8Array(LINK_HEADER_BYTES);
  return exchange.request({ type: GET_LINK, flags: FLAG_DUMP, payload }, (answer) => {
    const link = readLink(answer);
    if (link?.kind === kind && link.name !== '') names.push(link.name);
    return link !== undefined;
  });
}

/** Reads one link of the list. @returns `undefined` if the link is malformed. */
export function readLink(payload: Uint8Array): { readonly name: string; readonly kind: string } | undefined {
  const attributes =
    payload.length < LINK_HEADER_BYTES ? undefined : readAttributes(payload.subarray(LINK_HEADER_BYTES));
  if (attributes === undefined) return undefined;
  const name = attributes.find(({ type }) => type === LINK_NAME);
  const info = attributes.find(({ type }) => type === LINK_INFO);
  const kind = info && readAttributes(info.value)?.find(({ type }) => type === INFO_KIND);
  return { name: name === undefined ? '' : readText(name), kind: kind === undefined ? '' : readText(kind) };
}
