/** A user's program: two peers in one process send a packet through their tunnel, over UDP on loopback. */
import { randomBytes } from 'node:crypto';
import {
  Device,
  DgramSocket,
  Driver,
  Endpoint,
  formatIpPrefix,
  JsAead,
  MemoryTun,
  NodeCrypto,
  nodeEnvironment,
  type PeerChange,
  type PeerState,
  parseIpPrefix,
  Verdict,
} from 'wiretype';
import { parseConfig } from 'wiretype/config';

const LOOPBACK = Uint8Array.of(127, 0, 0, 1);

class TunnelEnd {
  readonly tun = new MemoryTun();
  readonly address: Uint8Array;
  readonly #aead = new JsAead();
  readonly #device = new Device({ crypto: new NodeCrypto(), environment: nodeEnvironment, aead: this.#aead });
  readonly #driver: Driver;

  static async open(lastByte: number): Promise<TunnelEnd> {
    return new TunnelEnd(await DgramSocket.open(0), Uint8Array.of(10, 0, 0, lastByte));
  }

  private constructor(socket: DgramSocket, address: Uint8Array) {
    this.address = address;
    this.#driver = new Driver({ device: this.#device, aead: this.#aead, socket, tun: this.tun });
    this.#device.setUp(true, nowMs());
    this.#device.applyChange({ privateKey: randomBytes(32), replacePeers: false, peers: [] }, nowMs());
  }

  addPeer(other: TunnelEnd): void {
    const prefix = { ...parseIpPrefix(`${other.address.join('.')}/32`)!, isRemoval: false };
    const peer: PeerChange = {
      publicKey: other.#device.publicKey!,
      endpoint: Endpoint.from(LOOPBACK, other.#driver.socket.port),
      allowedIps: [prefix],
      replaceAllowedIps: true,
      isRemoval: false,
      isUpdateOnly: false,
    };
    this.#device.applyChange({ replacePeers: false, peers: [peer] }, nowMs());
    this.#driver.settle();
  }

  get peers(): readonly PeerState[] {
    return [...this.#device.peers];
  }

  get droppedCount(): number {
    return this.#device.counters.verdicts[Verdict.BadTag]!;
  }

  close(): void {
    this.#driver.close();
    this.#driver.socket.close();
    this.#device.close();
  }
}

const left = await TunnelEnd.open(1);
const right = await TunnelEnd.open(2);
left.addPeer(right);
right.addPeer(left);

const arrived = new Promise<Uint8Array>((resolve) => {
  right.tun.onPacket = resolve;
});
left.tun.inject(ipPacket(left.address, right.address));
const packet = await arrived;

const document = parseConfig('[Interface]\nListenPort = 1 # old\n', 'wg0.conf');
document.ensureInterface().set('ListenPort', '2');
const [peer] = right.peers;
console.log(`${packet.length} bytes from ${[...peer!.allowedIps].map(formatIpPrefix)}, ${right.droppedCount} forged`);
console.log(document.text);
left.close();
right.close();

/** IPv4 without a payload (RFC 791 §3.1); the tunnel does not look at the checksum. */
function ipPacket(from: Uint8Array, to: Uint8Array): Uint8Array {
  return Uint8Array.of(0x45, 0, 0, 20, 0, 0, 0, 0, 64, 59, 0, 0, ...from, ...to);
}

function nowMs(): number {
  return Math.floor(performance.now());
}
