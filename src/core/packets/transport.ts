import * as transportData from '../../wire/transport-data.js';
import { PADDING_BYTES } from '../constants.js';
import type { Keypair } from '../session/keypair.js';
import { HEADROOM_BYTES, type PacketBatch } from './packet-batch.js';

/**
 * Turns a row with a packet into a transport data message for the AEAD stage: pads the packet with zeros,
 * writes the header into the head-room and takes the next counter.
 *
 * @param row `offset` and `length` describe the packet, and afterwards the message without its tag.
 * @returns Bytes that the message will have on the wire, tag included.
 *
 * Source: whitepaper §5.4.6.
 */
export function writeTransportData(batch: PacketBatch, row: number, keypair: Keypair, mtu: number): number {
  const lengthBytes = batch.length[row];
  const padded = paddedLength(lengthBytes, mtu);
  const end = batch.offset[row] + lengthBytes;
  for (let i = 0; i < padded - lengthBytes; i++) batch.bytes[end + i] = 0;

  const at = batch.offset[row] - HEADROOM_BYTES;
  transportData.writeHeader(batch.bytes, at, keypair.remoteIndex, keypair.sendHigh, keypair.sendLow);
  keypair.advanceCounter();

  batch.offset[row] = at;
  batch.length[row] = HEADROOM_BYTES + padded;
  batch.keySlot[row] = keypair.keySlot;
  return HEADROOM_BYTES + padded + transportData.TAG_BYTES;
}

/**
 * §5.4.6: pads to a multiple of 16, but never beyond the MTU.
 * A packet that is longer than the MTU is treated as several packets, of which only the last is padded.
 */
export function paddedLength(lengthBytes: number, mtu: number): number {
  const last = mtu > 0 && lengthBytes > mtu ? lengthBytes % mtu : lengthBytes;
  const padded = (last + PADDING_BYTES - 1) & -PADDING_BYTES;
  return lengthBytes - last + (mtu > 0 ? Math.min(padded, mtu) : padded);
}
