import { AttributeWriter, readAttributes, readU16 } from './attributes.js';
import type { NetlinkExchange, Outcome } from './exchange.js';

/**
 * Generic netlink: one protocol for many parts of the kernel, each a family with a number of its own.
 *
 * ```text
 *  0         1         2          4
 *  | command | version | reserved | attributes … |
 * ```
 *
 * Source: linux/genetlink.h.
 */
export const GENERIC_HEADER_BYTES = 4;

/** The family of families, GENL_ID_CTRL. */
const CONTROL_TYPE = 0x10;
const CONTROL_VERSION = 1;
const GET_FAMILY = 3;
const FAMILY_ID = 1;
const FAMILY_NAME = 2;
const MAX_NAME_BYTES = 16;

/** Puts the header in front of attributes. The caller clears both. */
export function formatGeneric(command: number, version: number, attributes: Uint8Array): Uint8Array {
  const payload = new Uint8Array(GENERIC_HEADER_BYTES + attributes.length);
  payload[0] = command;
  payload[1] = version;
  payload.set(attributes, GENERIC_HEADER_BYTES);
  return payload;
}

/** Requests the number of a family; the kernel loads the module if need be. @returns `id` where `errno` is 0. */
export function lookupFamily(exchange: NetlinkExchange, name: string): { id: number } & Outcome {
  const writer = new AttributeWriter(8 + MAX_NAME_BYTES);
  writer.text(FAMILY_NAME, name);
  const payload = formatGeneric(GET_FAMILY, CONTROL_VERSION, writer.written);
  let id = 0;
  const outcome = exchange.request({ type: CONTROL_TYPE, flags: 0, payload }, (answer) => {
    const found = readAttributes(answer.subarray(GENERIC_HEADER_BYTES))?.find(({ type }) => type === FAMILY_ID);
    id = (found && readU16(found)) ?? 0;
    return id !== 0;
  });
  return { ...outcome, id };
}
