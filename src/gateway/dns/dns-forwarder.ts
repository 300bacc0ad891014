import { formatIpAddress, parseIpAddress } from '../../control/ip-text.js';
import { addressBytes, isIpv4Address } from '../../netstack/address.js';
import type { SocketHost } from '../../rootless/socket-host.js';
import { TunnelServer } from '../../rootless/tunnel-server.js';
import type { TunnelSocket } from '../../rootless/tunnel-socket.js';
import { TunnelUdpSocket } from '../../rootless/tunnel-udp-socket.js';
import type { NameSource } from '../gateway-engine.js';
import {
  answerLimit,
  answerWithAddress,
  answerWithCode,
  type DnsQuestion,
  hasAnswer,
  RCODE,
  readQuery,
  TYPE_A,
  TYPE_AAAA,
  truncated,
} from './dns-message.js';
import { MessageReader } from './message-reader.js';
import { askUpstreams, type DnsQuery, framed } from './upstream-query.js';
import type { Upstreams } from './upstreams.js';

const DNS_PORT = 53;
const MAX_QUERIES_PER_DEVICE = 256;
/** A TCP client that asks nothing for so long is let go (RFC 7766 §6.2.3). */
const TCP_IDLE_MS = 10_000;

export interface DnsForwarderOptions {
  readonly host: SocketHost;
  readonly upstreams: Upstreams;
  /** Name that the gateway answers for itself, in lower case. */
  readonly ownName: string;
  /** Knows further names. */
  readonly names?: NameSource | undefined;
  /** Finds the device of an inner address, and whether it may use more than the gateway. */
  readonly deviceOf: (address: string) => { readonly id: string; readonly isGood: boolean } | undefined;
  readonly onResolved: (device: string) => void;
  /** Default 53, for the resolvers. */
  readonly upstreamPort?: number;
}

export interface DnsCounters {
  dnsQueries: number;
  dnsRefused: number;
  dnsFailed: number;
}

/**
 * Resolves names for devices at the gateway's own addresses: hands whole messages on to the resolvers of the host, and
 * the answers back (netstack.md §4.4).
 */
export class DnsForwarder {
  readonly counters: DnsCounters = { dnsQueries: 0, dnsRefused: 0, dnsFailed: 0 };
  readonly #options: DnsForwarderOptions;
  readonly #inFlight = new Map<string, number>();
  readonly #closers: (() => void)[] = [];

  constructor(options: DnsForwarderOptions) {
    this.#options = options;
    for (const address of options.host.loop.stack.addresses) {
      this.#listenUdp(address);
      this.#listenTcp(formatIpAddress(addressBytes(address)));
    }
  }

  close(): void {
    for (const close of this.#closers) close();
  }

  #listenUdp(own: Int32Array): void {
    const socket = new TunnelUdpSocket(this.#options.host, isIpv4Address(own) ? 'udp4' : 'udp6');
    socket.bind(DNS_PORT, formatIpAddress(addressBytes(own)));
    socket.on('message', (message: Buffer, { address, port }: { address: string; port: number }) => {
      void this.#answer(message, address, false).then((answer) => {
        if (answer !== undefined) socket.send(answer, port, address);
      });
    });
    socket.unref();
    this.#closers.push(() => socket.close());
  }

  #listenTcp(own: string): void {
    const server = new TunnelServer(this.#options.host, {}, (socket: TunnelSocket) => this.#serve(socket));
    server.listen(DNS_PORT, own);
    server.unref();
    this.#closers.push(() => server.close());
  }

  #serve(socket: TunnelSocket): void {
    const address = socket.remoteAddress ?? '';
    const reader = new MessageReader((message) => {
      void this.#answer(message, address, true).then((answer) => {
        if (answer === undefined) socket.destroy();
        else if (!socket.destroyed) socket.write(framed(answer));
      });
    });
    socket.setTimeout(TCP_IDLE_MS, () => socket.destroy());
    socket.on('error', () => {});
    socket.on('data', (bytes: Buffer) => reader.take(bytes));
  }

  /** @returns `undefined` for what is no query, and for one of a device that has too many in flight. */
  async #answer(message: Uint8Array, address: string, isTcp: boolean): Promise<Uint8Array | undefined> {
    const question = readQuery(message);
    const device = this.#options.deviceOf(address);
    if (question === undefined || device === undefined) return undefined;
    this.counters.dnsQueries++;
    if (question.name === this.#options.ownName)
      return answerWithAddress(message, question, this.#ownAddress(question.type));
    const isBusy = (this.#inFlight.get(device.id) ?? 0) >= MAX_QUERIES_PER_DEVICE;
    if (!device.isGood || isBusy) {
      this.counters.dnsRefused++;
      return device.isGood ? undefined : answerWithCode(message, question, RCODE.Refused);
    }
    const known = this.#options.names?.lookup(question.name);
    if (known !== undefined) return answerWithKnown(message, question, known);
    return this.#forward({ message, question, isTcp }, device.id);
  }

  async #forward(query: DnsQuery, device: string): Promise<Uint8Array> {
    const { upstreams, upstreamPort, onResolved } = this.#options;
    this.#inFlight.set(device, (this.#inFlight.get(device) ?? 0) + 1);
    const answer = await askUpstreams(query, upstreams.servers, upstreamPort);
    const left = this.#inFlight.get(device)! - 1;
    if (left === 0) this.#inFlight.delete(device);
    else this.#inFlight.set(device, left);
    if (answer === undefined) {
      this.counters.dnsFailed++;
      return answerWithCode(query.message, query.question, RCODE.ServFail);
    }
    if (hasAnswer(answer)) onResolved(device);
    const isTooLong = !query.isTcp && answer.length > answerLimit(query.message, query.question);
    return isTooLong ? truncated(answer, query.question) : answer;
  }

  #ownAddress(type: number): Uint8Array | undefined {
    const { addresses } = this.#options.host.loop.stack;
    const own = addresses.find((address) => isIpv4Address(address) === (type === TYPE_A));
    return own === undefined || (type !== TYPE_A && type !== TYPE_AAAA) ? undefined : addressBytes(own);
  }
}

/** @param addresses Empty: there is no such name (RFC 2308 §2.1). */
function answerWithKnown(message: Uint8Array, question: DnsQuestion, addresses: readonly string[]): Uint8Array {
  if (addresses.length === 0) return answerWithCode(message, question, RCODE.NameError);
  const lengthBytes = question.type === TYPE_A ? 4 : question.type === TYPE_AAAA ? 16 : 0;
  const address = addresses.map((text) => parseIpAddress(text)!).find(({ length }) => length === lengthBytes);
  return answerWithAddress(message, question, address);
}
