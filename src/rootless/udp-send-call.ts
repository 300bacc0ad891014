import { WireGuardError } from '../core/errors.js';
import { checkPort } from './connect-options.js';

type Part = string | NodeJS.ArrayBufferView;
export type SendCallback = (error: Error | null, bytes: number) => void;
export type UdpPayload = Part | readonly Part[];

export interface SendCall {
  readonly bytes: Uint8Array;
  readonly port: number;
  readonly address: string;
  readonly callback: SendCallback | undefined;
}

/**
 * Reads the overloads of `dgram.Socket.send`: (payload, offset?, length?, port, address, callback?), without port and address on
 * a connected socket.
 *
 * @param remote Where a connected socket sends to.
 * @throws {WireGuardError} ERR_SOCKET_ARGUMENT
 */
export function readSendArgs(
  payload: UdpPayload,
  args: readonly unknown[],
  remote: { readonly address: string; readonly port: number } | undefined,
): SendCall {
  const [first, second, third, fourth] = args;
  const callback = args.find((word) => typeof word === 'function') as SendCallback | undefined;
  if (remote !== undefined) {
    const hasRange = typeof second === 'number';
    return { bytes: hasRange ? slice(payload, first, second) : toBytes(payload), ...remote, callback };
  }
  const hasRange = typeof fourth === 'string' || (third !== undefined && typeof third !== 'function');
  const [port, address] = hasRange ? [third, fourth] : [first, second];
  const bytes = hasRange ? slice(payload, first, second) : toBytes(payload);
  if (typeof address !== 'string' || address === '')
    throw new WireGuardError('ERR_SOCKET_ARGUMENT', 'the address to send to is missing');
  return { bytes, port: checkPort(port, 1), address, callback };
}

function slice(payload: UdpPayload, offset: unknown, length: unknown): Uint8Array {
  if (Array.isArray(payload))
    throw new WireGuardError('ERR_SOCKET_ARGUMENT', 'a list of payloads has no offset and no length');
  const bytes = toBytes(payload);
  const isInside =
    Number.isInteger(offset) && Number.isInteger(length) && Math.min(Number(offset), Number(length)) >= 0;
  if (!isInside || Number(offset) + Number(length) > bytes.length)
    throw new WireGuardError('ERR_SOCKET_ARGUMENT', `offset and length lie outside of the ${bytes.length} bytes`);
  return bytes.subarray(Number(offset), Number(offset) + Number(length));
}

/** A single payload is not copied: it must not change before the callback, as with `dgram`. */
function toBytes(payload: UdpPayload): Uint8Array {
  const parts: readonly Part[] = Array.isArray(payload) ? payload : [payload as Part];
  return parts.length === 1 ? partBytes(parts[0]!) : Buffer.concat(parts.map(partBytes));
}

function partBytes(part: Part): Uint8Array {
  if (typeof part === 'string') return Buffer.from(part);
  if (ArrayBuffer.isView(part)) return new Uint8Array(part.buffer, part.byteOffset, part.byteLength);
  throw new WireGuardError('ERR_SOCKET_ARGUMENT', 'a datagram is text, bytes, or a list of them');
}
