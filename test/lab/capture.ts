/** What an observer on a wire saw: a capture by tcpdump, taken apart here, down to the WireGuard message. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import type { Lab } from './lab.js';
import type { Host } from './namespace.js';
import type { Program } from './program.js';
import { watchFor } from './wait.js';

const LINK_ETHERNET = 1;
const ETHERNET_HEADER_BYTES = 14;
const FILE_HEADER_BYTES = 24;
const RECORD_HEADER_BYTES = 16;
const PROTOCOL_UDP = 17;

let captureNumber = 0;

/** One IP packet on the wire. */
export interface SeenPacket {
  readonly family: 4 | 6;
  /** TOS byte or traffic class. */
  readonly trafficClass: number;
  readonly source: string;
  readonly destination: string;
  /** Of a packet that is no fragment; `undefined` where there is no UDP. */
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
    const args = ['-i', interfaceName, '--immediate-mode', '-U', '-n', '-Z', 'root', '-w', path];
    const program = host.start('tcpdump', filter === '' ? args : [...args, filter]);
    await program.says(/listening on/);
    return new Capture(path, program);
  }

  /** Everything seen up to here; the capture goes on. */
  packets(): SeenPacket[] {
    return parseCapture(readFileSync(this.path));
  }

  async stop(): Promise<SeenPacket[]> {
    // What is on its way from the kernel to tcpdump has no event to wait for.
    await watchFor(100);
    await this.#program.stop('SIGINT');
    return this.packets();
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
