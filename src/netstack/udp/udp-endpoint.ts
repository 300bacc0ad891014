/** A datagram that came in. */
export interface ReceivedDatagram {
  readonly data: Uint8Array;
  readonly from: Int32Array;
  readonly fromPort: number;
  /** Our address that it was sent to. */
  readonly to: Int32Array;
}

/** Bits of what a UDP endpoint reports. */
export const UdpEvent = { Readable: 1, Error: 2 } as const;

const MAX_QUEUED_BYTES = 1024 * 1024;
/** The cost of a datagram beside its data: without it, empty ones would have no bound. */
const DATAGRAM_OVERHEAD_BYTES = 256;

/** One bound UDP port, connected or not. */
export class UdpEndpoint {
  /** `undefined`: every address of the stack. */
  readonly address: Int32Array | undefined;
  readonly port: number;
  /** Only datagrams of this end are taken. */
  remote: Int32Array | undefined;
  remotePort = 0;
  /** Datagrams that the program did not take in time. */
  dropped = 0;
  events = 0;
  isInEventQueue = false;
  /** ICMP said that the remote end does not take datagrams; taken with the event. */
  error: 'refused' | 'unreachable' | undefined;
  readonly #queue: ReceivedDatagram[] = [];
  #bytes = 0;

  constructor(address: Int32Array | undefined, port: number) {
    this.address = address;
    this.port = port;
  }

  /** Takes the oldest datagram. */
  receive(): ReceivedDatagram | undefined {
    const datagram = this.#queue.shift();
    if (datagram !== undefined) this.#bytes -= datagram.data.length + DATAGRAM_OVERHEAD_BYTES;
    return datagram;
  }

  /** @returns `false` if there is no room. */
  push(datagram: ReceivedDatagram): boolean {
    const cost = datagram.data.length + DATAGRAM_OVERHEAD_BYTES;
    if (this.#bytes + cost > MAX_QUEUED_BYTES) {
      this.dropped++;
      return false;
    }
    this.#queue.push(datagram);
    this.#bytes += cost;
    return true;
  }
}
