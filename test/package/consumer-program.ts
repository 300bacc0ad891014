/** A user's program: two peers in one process send a packet through their tunnel, over UDP on loopback. */
import {
  DgramSocket,
  Endpoint,
  formatIpPrefix,
  generateKeyPair,
  JsAead,
  MemoryTun,
  NodeCrypto,
  type PeerChange,
  parseIpPrefix,
  Tunnel,
  Verdict,
} from 'wiretype';
import { parseConfig } from 'wiretype/config';
import { PacketBatch } from 'wiretype/engine';
import { Simulation } from 'wiretype/sim';

const LOOPBACK = Uint8Array.of(127, 0, 0, 1);

class TunnelEnd {
  readonly tun: MemoryTun;
  readonly tunnel: Tunnel;
  readonly address: Uint8Array;

  static async open(lastByte: number): Promise<TunnelEnd> {
    const tun = new MemoryTun();
    const openSocket = (port: number) => DgramSocket.open(port);
    const tunnel = await Tunnel.create({ crypto: new NodeCrypto(), aead: new JsAead(), tun, openSocket });
    const { privateKey } = generateKeyPair();
    await tunnel.apply({ privateKey, replacePeers: false, peers: [] });
    return new TunnelEnd(tunnel, tun, Uint8Array.of(10, 0, 0, lastByte));
  }

  private constructor(tunnel: Tunnel, tun: MemoryTun, address: Uint8Array) {
    this.tunnel = tunnel;
    this.tun = tun;
    this.address = address;
  }

  async addPeer(other: TunnelEnd): Promise<void> {
    const prefix = { ...parseIpPrefix(`${other.address.join('.')}/32`)!, isRemoval: false };
    const { publicKey, listenPort } = other.tunnel.state;
    const peer: PeerChange = {
      publicKey: publicKey!,
      endpoint: Endpoint.from(LOOPBACK, listenPort),
      allowedIps: [prefix],
      replaceAllowedIps: true,
      isRemoval: false,
      isUpdateOnly: false,
    };
    await this.tunnel.apply({ replacePeers: false, peers: [peer] });
  }
}

const left = await TunnelEnd.open(1);
const right = await TunnelEnd.open(2);
await left.addPeer(right);
await right.addPeer(left);

const arrived = new Promise<Uint8Array>((resolve) => {
  right.tun.onPacket = resolve;
});
left.tun.inject(ipPacket(left.address, right.address));
const packet = await arrived;

const document = parseConfig('[Interface]\nListenPort = 1 # old\n', 'wg0.conf');
document.ensureInterface().set('ListenPort', '2');
const [peer] = right.tunnel.state.peers;
const forged = right.tunnel.counters.verdicts[Verdict.BadTag];
console.log(`${packet.length} bytes from ${[...peer!.allowedIps].map(formatIpPrefix)}, ${forged} forged`);
console.log(document.text);
console.log(new PacketBatch(1, 64).capacity, new Simulation({ seed: 1, startMs: 7 }).nowMs);
left.tunnel.close();
right.tunnel.close();

/** IPv4 without a payload (RFC 791 §3.1); the tunnel does not look at the checksum. */
function ipPacket(from: Uint8Array, to: Uint8Array): Uint8Array {
  return Uint8Array.of(0x45, 0, 0, 20, 0, 0, 0, 0, 64, 59, 0, 0, ...from, ...to);
}
