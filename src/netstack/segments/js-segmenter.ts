import type { PacketBatch } from '../../core/packets/packet-batch.js';
import { IPV4_HEADER_BYTES, IPV6_HEADER_BYTES, readUint16, writeUint16 } from '../../wire/ip-header.js';
import { addBytes, addPseudoHeader, finishChecksum, readUint32, WordSum, writeUint32 } from '../checksum.js';
import { PROTOCOL_TCP } from '../ip/protocols.js';
import { CWR, FIN, PSH } from '../tcp/tcp-segment.js';
import type { Segmenter, SuperSegment } from './segmenter.js';

/** The segmenter in TypeScript, which every system has. */
export class JsSegmenter implements Segmenter {
  readonly #sum = new WordSum();
  /** Facts of the header of the run in hand: where its TCP header is, its numbers, and sums over all that rows share. */
  #tcpAt = 0;
  #tcpBytes = 0;
  #isIpv4 = true;
  #identification = 0;
  #sequence = 0;
  #flags = 0;
  #ipSum = 0;
  #tcpSum = 0;

  split(run: SuperSegment, batch: PacketBatch): number {
    this.#sum.adopt(batch.bytes);
    this.#readHeader(run);
    const header = run.header.subarray(0, run.headerBytes);
    let done = 0;
    for (let index = 0; done < run.payloadBytes; index++) {
      const payloadBytes = Math.min(run.segmentBytes, run.payloadBytes - done);
      const row = batch.appendRow(run.headerBytes + payloadBytes);
      if (row < 0) break;
      const at = batch.offset[row];
      batch.bytes.set(header, at);
      run.copyPayload(done, payloadBytes, batch.bytes, at + run.headerBytes);
      if (this.#isIpv4) this.#finishIpv4(batch.bytes, at, run.headerBytes + payloadBytes, index);
      else writeUint16(batch.bytes, at + 4, run.headerBytes + payloadBytes - this.#tcpAt);
      const isLast = done + payloadBytes === run.payloadBytes;
      const flags = this.#flags & ~(isLast ? 0 : FIN | PSH) & ~(index > 0 ? CWR : 0);
      this.#finishTcp(batch.bytes, at + this.#tcpAt, payloadBytes, (this.#sequence + done) | 0, flags);
      done += payloadBytes;
    }
    return done;
  }

  #readHeader({ header, headerBytes }: SuperSegment): void {
    this.#isIpv4 = header[0] >> 4 === 4;
    const tcpAt = this.#isIpv4 ? IPV4_HEADER_BYTES : IPV6_HEADER_BYTES;
    this.#tcpAt = tcpAt;
    this.#tcpBytes = headerBytes - tcpAt;
    this.#identification = readUint16(header, 4);
    this.#sequence = readUint32(header, tcpAt + 4);
    this.#flags = header[tcpAt + 13];
    this.#ipSum =
      addBytes(0, header, 0, IPV4_HEADER_BYTES) - readUint16(header, 2) - this.#identification - readUint16(header, 10);
    this.#tcpSum =
      addPseudoHeader(header, 0, PROTOCOL_TCP, this.#tcpBytes) +
      addBytes(0, header, tcpAt, this.#tcpBytes) -
      readUint16(header, tcpAt + 4) -
      readUint16(header, tcpAt + 6) -
      this.#flags -
      readUint16(header, tcpAt + 16);
  }

  #finishIpv4(bytes: Uint8Array, at: number, length: number, index: number): void {
    const identification = (this.#identification + index) & 0xffff;
    writeUint16(bytes, at + 2, length);
    writeUint16(bytes, at + 4, identification);
    writeUint16(bytes, at + 10, finishChecksum(this.#ipSum + length + identification));
  }

  #finishTcp(bytes: Uint8Array, at: number, payloadBytes: number, sequence: number, flags: number): void {
    writeUint32(bytes, at + 4, sequence);
    bytes[at + 13] = flags;
    const header = this.#tcpSum + payloadBytes + (sequence >>> 16) + (sequence & 0xffff) + flags;
    const sum = this.#sum.add(header, at + this.#tcpBytes, payloadBytes);
    // Zero has two forms. The kernel writes this one.
    writeUint16(bytes, at + 16, finishChecksum(sum) || 0xffff);
  }
}
