import { PacketBatch } from '../../core/packets/packet-batch.js';
import { Verdict } from '../../core/packets/verdict.js';
import type { DatagramSocket } from '../../host/datagram-socket.js';
import { ForwardingSocket } from '../../host/forwarding-socket.js';
import { Endpoint } from '../../wire/endpoint.js';
import { messageType, NO_MESSAGE } from '../../wire/messages.js';
import { appendDatagram, endpointAt, keepRows } from '../relay/batch-rows.js';
import { isStun } from './stun-message.js';

const PROBE_ROWS = 16;
const PROBE_BYTES = 16 * 1_024;

/** Receives a probe. Bytes and endpoint are its own. */
export type ProbeListener = (bytes: Uint8Array, from: Endpoint) => void;

/**
 * A socket that WireGuard and probes share: a probe leaves from the very port whose mapping it asks about.
 *
 * What is no message of WireGuard and carries STUN's cookie is a probe. An index of WireGuard may equal the cookie, so the
 * type is looked at first.
 */
export class ProbeSocket extends ForwardingSocket {
  onProbe: ProbeListener = () => {};
  readonly #socket: DatagramSocket;
  readonly #leaving = new PacketBatch(PROBE_ROWS, PROBE_BYTES);

  constructor(socket: DatagramSocket) {
    super(socket);
    this.#socket = socket;
  }

  override receive(batch: PacketBatch): number {
    for (;;) {
      const rows = super.receive(batch);
      if (rows === 0) return 0;
      if (this.#takeProbes(batch) === 0 || batch.count > 0) return batch.count;
    }
  }

  /** Sends a probe, or loses it where the socket has no room. */
  sendProbe(bytes: Uint8Array, to: Endpoint): void {
    this.#leaving.clear();
    appendDatagram(this.#leaving, bytes, to.words);
    this.#socket.send(this.#leaving, 0);
  }

  #takeProbes(batch: PacketBatch): number {
    let probes = 0;
    const isProbe = (row: number): boolean => {
      const [at, length] = [batch.offset[row]!, batch.length[row]!];
      return messageType(batch.bytes, at, length) === NO_MESSAGE && isStun(batch.bytes, at, length);
    };
    for (let row = 0; row < batch.count; row++) if (batch.verdict[row] === Verdict.Pass && isProbe(row)) probes++;
    if (probes === 0) return 0;
    keepRows(batch, (row) => {
      if (!isProbe(row)) return true;
      const at = batch.offset[row]!;
      const from = new Endpoint();
      from.words.set(batch.endpointWords.subarray(endpointAt(batch, row), endpointAt(batch, row) + from.words.length));
      this.onProbe(batch.bytes.slice(at, at + batch.length[row]!), from);
      return false;
    });
    return probes;
  }
}
