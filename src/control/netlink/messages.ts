/**
 * Netlink messages. A datagram carries one or more of them.
 *
 * ```text
 *  0        4      6       8          12        16
 *  | length | type | flags | sequence | port id | payload … |
 * ```
 *
 * The length counts the header. The next message begins at a multiple of four. Source: netlink(7), linux/netlink.h.
 */
import { aligned, readAttributes, readText } from './attributes.js';
import { IS_LITTLE_ENDIAN, viewOf } from './byte-order.js';

const HEADER_BYTES = 16;

export const FLAG_REQUEST = 0x1;
/** The kernel confirms that the request was carried out. */
export const FLAG_ACK = 0x4;
/** The listed items changed meanwhile: some may be missing or duplicated. */
export const FLAG_DUMP_INTERRUPTED = 0x10;
/** Lists all items. */
export const FLAG_DUMP = 0x300;
const FLAG_CAPPED = 0x100;
const FLAG_ACK_ATTRIBUTES = 0x200;

/** Types below 16 control the exchange itself. */
export const MESSAGE_ERROR = 2;
export const MESSAGE_DONE = 3;
const MESSAGE_OVERRUN = 4;
export const MIN_PAYLOAD_TYPE = 16;

const ERROR_TEXT_ATTRIBUTE = 1;
const EIO = 5;

export interface NetlinkMessage {
  readonly type: number;
  readonly flags: number;
  readonly sequence: number;
  /** A view, not a copy. */
  readonly payload: Uint8Array;
}

/** The outcome of a request. */
export interface Verdict {
  /** 0: done. */
  readonly errno: number;
  /** The kernel's own words about an error, if it has any. */
  readonly reason: string | undefined;
}

/** Writes a request. The caller clears it: it may hold secret keys. */
export function formatMessage(type: number, flags: number, sequence: number, payload: Uint8Array): Uint8Array {
  const message = new Uint8Array(HEADER_BYTES + payload.length);
  const view = viewOf(message);
  view.setUint32(0, message.length, IS_LITTLE_ENDIAN);
  view.setUint16(4, type, IS_LITTLE_ENDIAN);
  view.setUint16(6, flags | FLAG_REQUEST, IS_LITTLE_ENDIAN);
  view.setUint32(8, sequence, IS_LITTLE_ENDIAN);
  message.set(payload, HEADER_BYTES);
  return message;
}

/** Cuts a datagram into its messages. @returns `undefined` if a length is wrong. */
export function readMessages(datagram: Uint8Array): NetlinkMessage[] | undefined {
  const view = viewOf(datagram);
  const messages: NetlinkMessage[] = [];
  for (let at = 0; at < datagram.length; ) {
    if (datagram.length - at < HEADER_BYTES) return undefined;
    const length = view.getUint32(at, IS_LITTLE_ENDIAN);
    if (length < HEADER_BYTES || length > datagram.length - at) return undefined;
    messages.push({
      type: view.getUint16(at + 4, IS_LITTLE_ENDIAN),
      flags: view.getUint16(at + 6, IS_LITTLE_ENDIAN),
      sequence: view.getUint32(at + 8, IS_LITTLE_ENDIAN),
      payload: datagram.subarray(at + HEADER_BYTES, at + length),
    });
    at += aligned(length);
  }
  return messages;
}

/**
 * Reads a message that ends an exchange.
 *
 * @returns `undefined` for any other message, and for a malformed one.
 */
export function readVerdict({ type, flags, payload }: NetlinkMessage): Verdict | undefined {
  if (type === MESSAGE_OVERRUN) return { errno: EIO, reason: 'the answer was lost' };
  if ((type !== MESSAGE_ERROR && type !== MESSAGE_DONE) || payload.length < 4) return undefined;
  const view = viewOf(payload);
  const errno = -view.getInt32(0, IS_LITTLE_ENDIAN);
  if (errno === 0 || (flags & FLAG_ACK_ATTRIBUTES) === 0) return { errno: Math.abs(errno), reason: undefined };
  return { errno: Math.abs(errno), reason: readReason(payload.subarray(attributesAt(type, flags, view))) };
}

/** The errno of an error is followed by the header of the request, and by its payload unless that is left out. */
function attributesAt(type: number, flags: number, view: DataView): number {
  if (type === MESSAGE_DONE) return 4;
  if ((flags & FLAG_CAPPED) !== 0 || view.byteLength < 8) return 4 + HEADER_BYTES;
  return 4 + aligned(view.getUint32(4, IS_LITTLE_ENDIAN));
}

function readReason(bytes: Uint8Array): string | undefined {
  const found = readAttributes(bytes)?.find(({ type }) => type === ERROR_TEXT_ATTRIBUTE);
  return found === undefined ? undefined : readText(found);
}
