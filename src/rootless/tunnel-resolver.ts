import { randomInt } from 'node:crypto';
import type { LookupAddress } from 'node:dns';
import { isIP } from 'node:net';
import type { Duplex } from 'node:stream';

import { decode, encode, type Packet, RECURSION_DESIRED } from 'dns-packet';

const PORT = 53;
const TRY_MS = 2_000;
const ROUNDS = 3;
const EDNS_BYTES = 1_232;
const MAX_NAME_BYTES = 253;
const MAX_LABEL_BYTES = 63;

/** A UDP socket of a tunnel or of Node, as far as the resolver needs it. */
export interface ResolverUdpSocket extends AsyncDisposable {
  once(event: 'connect' | 'close', listener: () => void): unknown;
  on(event: 'error', listener: () => void): unknown;
  on(event: 'message', listener: (message: Buffer) => void): unknown;
  connect(port: number, address: string): void;
  send(message: Uint8Array): void;
}

/** Makes sockets for the resolver. */
export interface ResolverSockets {
  createUdpSocket(type: 'udp4' | 'udp6'): ResolverUdpSocket;
  connect(options: { host: string; port: number }): Duplex & { setTimeout(ms: number, callback: () => void): unknown };
}

export type RecordType = 'A' | 'AAAA' | 'CNAME' | 'MX' | 'NS' | 'PTR' | 'SOA' | 'SRV' | 'TXT';

/** One record of an answer. The form of `data` depends on the type: text for addresses and names. */
export interface DnsRecord {
  readonly name: string;
  readonly type: string;
  readonly ttl: number;
  readonly data: unknown;
}

/** A failure of a look-up, with the codes of `node:dns`. */
export interface LookupError extends NodeJS.ErrnoException {
  hostname?: string;
}

/**
 * Looks names up with given servers, by given sockets: with those of a tunnel no question leaves outside of it.
 *
 * Source: RFC 1035 §4; RFC 7766 (TCP after truncation); RFC 6891 (EDNS).
 */
export class TunnelResolver {
  readonly #servers: readonly string[];
  readonly #searchDomains: readonly string[];
  readonly #sockets: ResolverSockets;

  constructor(servers: readonly string[], searchDomains: readonly string[], sockets: ResolverSockets) {
    this.#servers = servers;
    this.#searchDomains = searchDomains;
    this.#sockets = sockets;
  }

  getServers(): string[] {
    return [...this.#servers];
  }

  /** Finds all addresses of a name. @throws {LookupError} ENOTFOUND, ETIMEOUT */
  async lookup(host: string): Promise<LookupAddress[]> {
    const family = isIP(host);
    if (family !== 0) return [{ address: host, family }];
    for (const name of this.#candidates(host)) {
      const [v6, v4] = await Promise.all([this.#addresses(name, 'AAAA'), this.#addresses(name, 'A')]);
      const found = [
        ...v6.map((address) => ({ address, family: 6 })),
        ...v4.map((address) => ({ address, family: 4 })),
      ];
      if (found.length > 0) return found;
    }
    throw lookupError('ENOTFOUND', host);
  }

  async resolve4(host: string): Promise<string[]> {
    return orNotFound(host, await this.#addresses(host, 'A'));
  }

  async resolve6(host: string): Promise<string[]> {
    return orNotFound(host, await this.#addresses(host, 'AAAA'));
  }

  /** Sends one question, and returns the records of the answer. @throws {LookupError} ETIMEOUT, ESERVFAIL, ENOTFOUND */
  async query(name: string, type: RecordType): Promise<DnsRecord[]> {
    if (this.#servers.length === 0)
      throw lookupError('ENOTFOUND', name, 'the tunnel has no DNS server: add DNS = ADDRESS to its configuration');
    if (!isDomainName(name)) throw lookupError('ENOTFOUND', name);
    const question = makeQuestion(name, type);
    let code = 'ETIMEOUT';
    for (let round = 0; round < ROUNDS; round++) {
      for (const server of this.#servers) {
        const answer = await this.#ask(server, question);
        if (answer === undefined) continue;
        if (isServerFailure(answer)) code = 'ESERVFAIL';
        else return recordsOf(answer);
      }
    }
    throw lookupError(code, name);
  }

  /** @returns `undefined` if the server gave no whole answer. */
  async #ask(server: string, question: Packet): Promise<Packet | undefined> {
    const answer = await this.#askUdp(server, question);
    if (answer === undefined || !isTruncated(answer)) return answer;
    try {
      return await this.#askTcp(server, question);
    } catch (error) {
      if (error instanceof Error) return undefined; // refused, reset or too slow: another server may do better
      throw error;
    }
  }

  async #addresses(name: string, type: 'A' | 'AAAA'): Promise<string[]> {
    const answers = await this.query(name, type);
    return answers.filter((answer) => answer.type === type).map(({ data }) => String(data));
  }

  /** A name with a dot is tried as it is first, a single word in the search domains first. */
  #candidates(host: string): string[] {
    const searched = this.#searchDomains.map((domain) => `${host}.${domain.replace(/^~/, '')}`);
    return (host.includes('.') ? [host, ...searched] : [...searched, host]).filter(isDomainName);
  }

  /** @returns `undefined` if no answer came in time. */
  #askUdp(server: string, question: Packet): Promise<Packet | undefined> {
    return new Promise((resolve) => {
      const socket = this.#sockets.createUdpSocket(isIP(server) === 6 ? 'udp6' : 'udp4');
      let answer: Packet | undefined;
      const finish = (): void => void socket[Symbol.asyncDispose]();
      const timer = setTimeout(finish, TRY_MS);
      // The tunnel may close the socket, too.
      socket.once('close', () => {
        clearTimeout(timer);
        resolve(answer);
      });
      socket.on('error', finish);
      socket.on('message', (message: Buffer) => {
        answer ??= readAnswer(message, question);
        if (answer !== undefined) finish();
      });
      socket.once('connect', () => socket.send(encode(question)));
      socket.connect(PORT, server);
    });
  }

  async #askTcp(server: string, question: Packet): Promise<Packet> {
    const socket = this.#sockets.connect({ host: server, port: PORT });
    socket.setTimeout(TRY_MS * ROUNDS, () => socket.destroy(lookupError('ETIMEOUT', nameOf(question))));
    const message = encode(question);
    socket.write(Buffer.concat([Buffer.of(message.length >> 8, message.length), message]));
    const parts: Buffer[] = [];
    let bytes = 0;
    for await (const part of socket) {
      parts.push(part as Buffer);
      bytes += (part as Buffer).length;
      const all = Buffer.concat(parts, bytes);
      if (all.length < 2 || all.length < 2 + all.readUInt16BE(0)) continue;
      socket.destroy();
      const answer = readAnswer(all.subarray(2, 2 + all.readUInt16BE(0)), question);
      if (answer !== undefined) return answer;
    }
    throw lookupError('ETIMEOUT', nameOf(question));
  }
}

function makeQuestion(name: string, type: RecordType): Packet {
  const size = { udpPayloadSize: EDNS_BYTES, flags: 0, options: [], extendedRcode: 0, ednsVersion: 0, flag_do: false };
  return {
    type: 'query',
    id: randomInt(65_536),
    flags: RECURSION_DESIRED,
    questions: [{ type, name, class: 'IN' }],
    additionals: [{ type: 'OPT', name: '.', ...size }],
  };
}

/** The answer did not fit into a datagram (RFC 1035 §4.1.1, TC). */
function isTruncated(answer: Packet): boolean {
  return (answer as Packet & { flag_tc?: boolean }).flag_tc === true;
}

/** The server could not or would not look the name up (RFC 1035 §4.1.1): unlike "no such name", that is no answer. */
function isServerFailure(answer: Packet): boolean {
  const { rcode } = answer as Packet & { rcode?: string };
  return rcode !== undefined && rcode !== 'NOERROR' && rcode !== 'NXDOMAIN';
}

/** RFC 1035 §2.3.4: labels of 1 to 63 bytes, 253 in all with the dots between them. */
function isDomainName(name: string): boolean {
  const labels = name.replace(/\.$/, '').split('.');
  return Buffer.byteLength(name) <= MAX_NAME_BYTES && labels.every((label) => isLabelLength(Buffer.byteLength(label)));
}

function isLabelLength(bytes: number): boolean {
  return bytes >= 1 && bytes <= MAX_LABEL_BYTES;
}

function recordsOf({ answers = [] }: Packet): DnsRecord[] {
  return answers.flatMap((answer) => {
    const { name, type, ttl = 0, data } = answer as { name: string; type: string; ttl?: number; data?: unknown };
    return type === 'OPT' ? [] : [{ name, type, ttl, data }];
  });
}

/** An answer counts if it is well formed, carries our number, and repeats our question. */
function readAnswer(message: Buffer, question: Packet): Packet | undefined {
  try {
    const answer = decode(message);
    const [asked] = question.questions ?? [];
    const [repeated] = answer.questions ?? [];
    const isOurs =
      answer.type === 'response' &&
      answer.id === question.id &&
      repeated?.type === asked?.type &&
      repeated?.name.toLowerCase() === asked?.name.toLowerCase();
    return isOurs ? answer : undefined;
  } catch (error) {
    if (error instanceof Error) return undefined; // a server, or somebody between, sent something else
    throw error;
  }
}

function nameOf({ questions }: Packet): string {
  return questions?.[0]?.name ?? '';
}

function orNotFound(host: string, addresses: string[]): string[] {
  if (addresses.length > 0) return addresses;
  throw lookupError('ENOTFOUND', host);
}

function lookupError(code: string, hostname: string, message?: string): LookupError {
  const error: LookupError = new Error(message ?? `getaddrinfo ${code} ${hostname}`);
  error.code = code;
  error.syscall = 'getaddrinfo';
  error.hostname = hostname;
  return error;
}
