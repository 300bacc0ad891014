/** An observer on a wire: a capture by tcpdump, decoded down to the WireGuard message. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import type { Lab } from './lab.js';
import type { Host } from './namespace.js';
import type { Program } from './program.js';
import { waitFor } from './wait.js';

const LINK_ETHERNET = 1;
const ETHERNET_HEADER_BYTES = 14;
const FILE_HEADER_BYTES = 24;
const RECORD_HEADER_BYTES = 16;
const PROTOCOL_UDP = 17;
/** More than any packet here has that is looked at; without it, the kernel's buffer has room for eight packets. */
const SNAPSHOT_BYTES = 8_192;
const BUFFER_KIB = 16_384;

const COUNTS = /(\d+) packets? captured, (\d+) packets? received by filter, (\d+) packets? dropped by kernel/;

let captureNumber = 0;

/** One IP packet on the wire. */
export interface SeenPacket {
  readonly family: 4 | 6;
  /** TOS byte or traffic class. */
  readonly trafficClass: number;
  readonly source: string;
  readonly destination: string;
  /** UDP ports and payload of a packet that is no fragment; `undefined` where there is no UDP. */
  readonly udp: { readonly sourcePort: number; readonly destinationPort: number; readonly payload: Buffer } | undefined;
  readonly bytes: Buffer;
}

export class Capture {
  readonly path: string;
  readonly #program: Program;

  private constructor(path: string, program: Program) {
    this.path = path;
    this.#program = program;
  }

  /** Starts to listen; what is sent after this is seen. */
  static async start(lab: Lab, host: Host, interfaceName: string, filter = ''): Promise<Capture> {
    const path = join(lab.folder, `capture-${captureNumber++}.pcap`);
    const sizes = ['-s', String(SNAPSHOT_BYTES), '-B', String(BUFFER_KIB)];
    const args = ['-i', interfaceName, '--immediate-mode', '-U', '-n', ...sizes, '-Z', 'root', '-w', path];
    const program = host.start('tcpdump', filter === '' ? args : [...args, filter]);
    await program.says(/listening on/);
    return new Capture(path, program);
  }

  /** Returns the packets written so far, which may lag behind the traffic, for polling. */
  packets(): SeenPacket[] {
    return parseCapture(readFileSync(this.path));
  }

  /** Everything that passed before the call; the capture goes on. */
  async allPackets(): Promise<SeenPacket[]> {
    await waitFor('tcpdump to have written all', async () => await this.#isWritten());
    return this.packets();
  }

  /** Everything that passed before the call. */
  async stop(): Promise<SeenPacket[]> {
    await this.allPackets();
    await this.#program.stop('SIGINT');
    return this.packets();
  }

  /** Tests whether tcpdump has written all captured packets, by the counts that it prints on this signal. */
  async #isWritten(): Promise<boolean> {
    const before = this.#program.stderr.length;
    this.#program.signal('SIGUSR1');
    const [, captured, received, dropped] = await waitFor(
      'counts of tcpdump',
      () => COUNTS.exec(this.#program.stderr.slice(before)) ?? undefined,
    );
    return Number(captured) + Number(dropped) >= Number(received);
  }
}

/** The type byte of each WireGuard message, in order. */
export function messageTypes(packets: readonly SeenPacket[]): number[] {
  return packets.flatMap(({ udp }) => (udp === undefined ? [] : [udp.payload[0] ?? 0]));
}

/** pcap with little-endian microsecond stamps, as tcpdump writes it here; a record still being written is left out. */
export function parseCapture(file: Buffer): SeenPacket[] {
  if (file.length < FILE_HEADER_BYTES) return [];
  const skip = file.readUInt32LE(20) === LINK_ETHERNET ? ETHERNET_HEADER_BYTES : 0;
  const packets: SeenPacket[] = [];
  for (let at = FILE_HEADER_BYTES; at + RECORD_HEADER_BYTES <= file.length; ) {
    const length = file.readUInt32LE(at + 8);
    const end = at + RECORD_HEADER_BYTES + length;
    if (end > file.length) break;
    const packet = parsePacket(file.subarray(at + RECORD_HEADER_BYTES + skip, end));
    if (packet !== undefined) packets.push(packet);
    at = end;
  }
  return packets;
}

function parsePacket(bytes: Buffer): SeenPacket | undefined {
  if (bytes.length >= 20 && bytes[0]! >> 4 === 4) return parseIpv4(bytes);
  if (bytes.length >= 40 && bytes[0]! >> 4 === 6) return parseIpv6(bytes);
  return undefined;
}

function parseIpv4(bytes: Buffer): SeenPacket {
  const isFragment = (bytes.readUInt16BE(6) & 0x3fff) !== 0;
  const headerBytes = (bytes[0]! & 15) * 4;
  return {
    family: 4,
    trafficClass: bytes[1]!,
    source: [...bytes.subarray(12, 16)].join('.'),
    destination: [...bytes.subarray(16, 20)].join('.'),
    udp: bytes[9] === PROTOCOL_UDP && !isFragment ? parseUdp(bytes.subarray(headerBytes)) : undefined,
    bytes,
  };
}

function parseIpv6(bytes: Buffer): SeenPacket {
  return {
    family: 6,
    trafficClass: (bytes.readUInt16BE(0) >> 4) & 0xff,
    source: bytes.toString('hex', 8, 24),
    destination: bytes.toString('hex', 24, 40),
    udp: bytes[6] === PROTOCOL_UDP ? parseUdp(bytes.subarray(40)) : undefined,
    bytes,
  };
}

function parseUdp(bytes: Buffer): SeenPacket['udp'] {
  if (bytes.length < 8) return undefined;
  return {
    sourcePort: bytes.readUInt16BE(0),
    destinationPort: bytes.readUInt16BE(2),
    payload: bytes.subarray(8, bytes.readUInt16BE(4)),
  };
}
