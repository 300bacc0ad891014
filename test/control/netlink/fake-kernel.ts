import type { NetlinkSocket } from '../../../src/control/netlink/netlink-socket.js';
import { attributes, message, parse, type Raw, text, u8, u16, u32, u64 } from './raw-netlink.js';

/** A peer as the fake kernel keeps it: bytes of attributes, allowed IPs as `family:hex/length`. */
export interface FakePeer {
  presharedKey: Buffer;
  endpoint: Buffer | undefined;
  keepalive: number;
  rxBytes: bigint;
  txBytes: bigint;
  handshake: readonly [seconds: bigint, nanoseconds: bigint];
  readonly allowedIps: Set<string>;
}

export interface FakeDevice {
  privateKey: Buffer;
  port: number;
  fwmark: number;
  readonly peers: Map<string, FakePeer>;
}

const GENERIC = 16;
const CONTROL_FAMILY = 16;
const WIREGUARD_FAMILY = 0x1d;
const [ERROR, DONE] = [2, 3];
const [MULTI, INTERRUPTED, CAPPED, WORDS] = [2, 0x10, 0x100, 0x200];
const DUMP = 0x300;

class Refusal extends Error {
  readonly errno: number;

  constructor(errno: number, words = '') {
    super(words);
    this.errno = errno;
  }
}

/** The netlink side of a kernel with WireGuard, according to linux/wireguard.h. */
export class FakeKernel {
  readonly devices = new Map<string, FakeDevice>();
  /** Bytes of every message to WireGuard. */
  readonly received: Buffer[] = [];
  /** Whether it has WireGuard; since Linux 6.16 it takes a single allowed IP away. */
  hasWireguard = true;
  canRemoveAllowedIps = true;
  /** Ports that others hold. */
  readonly usedPorts = new Set<number>();
  /** A refusal of the n-th `set`, counted from 0. */
  refuses: { readonly set: number; readonly errno: number; readonly words: string } | undefined;
  /** The number of dumps that report a change meanwhile. */
  interruptions = 0;
  /** Allowed IPs in one message of a dump; peers likewise. */
  partSize = 3;
  openSockets = 0;
  /** The caller's own buffers for sending and receiving. */
  readonly buffers: Uint8Array[] = [];
  #sets = 0;

  addDevice(name: string): FakeDevice {
    const device = { privateKey: Buffer.alloc(32), port: 0, fwmark: 0, peers: new Map() };
    this.devices.set(name, device);
    return device;
  }

  readonly open = (protocol: number): NetlinkSocket => {
    const answers: Buffer[] = [];
    this.openSockets += 1;
    return {
      send: (bytes) => {
        this.buffers.push(bytes);
        answers.push(...this.#answer(protocol, Buffer.from(bytes)));
        return 0;
      },
      receive: (into) => {
        this.buffers.push(into);
        const next = answers.shift();
        if (next === undefined) return -110;
        into.set(next);
        return next.length;
      },
      close: () => {
        this.openSockets -= 1;
      },
    };
  };

  #answer(protocol: number, request: Buffer): Buffer[] {
    const [type, flags, sequence] = [request.readUInt16LE(4), request.readUInt16LE(6), request.readUInt32LE(8)];
    const payload = request.subarray(16, request.readUInt32LE(0));
    try {
      if (protocol !== GENERIC) return dump(this.#links(), 16, sequence, false);
      if (type === CONTROL_FAMILY) return [this.#family(payload, sequence), acknowledgement(sequence)];
      if (type !== WIREGUARD_FAMILY) throw new Refusal(2);
      this.received.push(payload);
      if (payload[0] === 1) {
        this.#set(parse(payload.subarray(4)));
        return [acknowledgement(sequence)];
      }
      if ((flags & DUMP) !== DUMP) throw new Refusal(95);
      const isInterrupted = this.interruptions > 0;
      if (isInterrupted) this.interruptions -= 1;
      return dump(this.#describe(parse(payload.subarray(4))), WIREGUARD_FAMILY, sequence, isInterrupted);
    } catch (error) {
      if (error instanceof Refusal) return [refusal(sequence, error)];
      throw error;
    }
  }

  #links(): Buffer[] {
    const link = (name: string, kind: string) =>
      Buffer.concat([Buffer.alloc(16), attributes([3, text(name)], [18, [[1, text(kind)]]])]);
    const lo = Buffer.concat([Buffer.alloc(16), attributes([3, text('lo')])]);
    return [lo, link('br0', 'bridge'), ...[...this.devices.keys()].map((name) => link(name, 'wireguard'))];
  }

  #family(payload: Buffer, sequence: number): Buffer {
    const name = parse(payload.subarray(4)).find(({ type }) => type === 2)!.value;
    if (!this.hasWireguard || !name.equals(text('wireguard'))) throw new Refusal(2);
    const body = attributes([2, text('wireguard')], [1, u16(WIREGUARD_FAMILY)], [3, u32(1)]);
    return message(CONTROL_FAMILY, 0, sequence, Buffer.concat([Buffer.from([1, 2, 0, 0]), body]));
  }

  #find(list: ReturnType<typeof parse>): FakeDevice {
    const name = list.find(({ type }) => type === 2)!.value;
    const device = this.devices.get(name.subarray(0, -1).toString());
    if (device === undefined) throw new Refusal(name.equals(text('lo')) ? 95 : 19);
    return device;
  }

  #set(list: ReturnType<typeof parse>): void {
    const { refuses } = this;
    if (refuses?.set === this.#sets++) throw new Refusal(refuses.errno, refuses.words);
    const device = this.#find(list);
    const of = (wanted: number) => list.find(({ type }) => type === wanted)?.value;
    device.fwmark = of(7)?.readUInt32LE() ?? device.fwmark;
    const port = of(6)?.readUInt16LE();
    if (port !== undefined && this.usedPorts.has(port)) throw new Refusal(98);
    device.port = port ?? device.port;
    if (of(5)?.readUInt32LE() === 1) device.peers.clear();
    device.privateKey = of(3) ?? device.privateKey;
    for (const { value } of parse(of(8) ?? Buffer.alloc(0))) this.#setPeer(device, parse(value));
  }

  #setPeer(device: FakeDevice, list: ReturnType<typeof parse>): void {
    const of = (wanted: number) => list.find(({ type }) => type === wanted)?.value;
    const key = of(1)!.toString('hex');
    const flags = of(3)?.readUInt32LE() ?? 0;
    if (flags > 7) throw new Refusal(95);
    if ((flags & 1) !== 0) device.peers.delete(key);
    if ((flags & 1) !== 0 || ((flags & 4) !== 0 && !device.peers.has(key))) return;
    const peer = device.peers.get(key) ?? newPeer();
    device.peers.set(key, peer);
    peer.presharedKey = of(2) ?? peer.presharedKey;
    peer.endpoint = of(4) ?? peer.endpoint;
    if ((flags & 2) !== 0) peer.allowedIps.clear();
    for (const { value } of parse(of(9) ?? Buffer.alloc(0))) this.#setAllowedIp(device, peer, parse(value));
    peer.keepalive = of(5)?.readUInt16LE() ?? peer.keepalive;
  }

  #setAllowedIp(device: FakeDevice, peer: FakePeer, list: ReturnType<typeof parse>): void {
    const of = (wanted: number) => list.find(({ type }) => type === wanted)?.value;
    if (of(4) !== undefined && !this.canRemoveAllowedIps) throw new Refusal(22, 'Unknown attribute type');
    const family = of(1)!.readUInt16LE();
    const [address, length] = [of(2)!, of(3)![0]!];
    if (address.length !== (family === 2 ? 4 : 16) || length > 8 * address.length) throw new Refusal(22);
    const masked = address.map((byte, i) => byte & (0xff00 >> Math.min(8, Math.max(0, length - 8 * i))));
    const allowedIp = `${family}:${Buffer.from(masked).toString('hex')}/${length}`;
    const isRemoval = of(4)?.readUInt32LE() === 1;
    for (const other of device.peers.values()) if (!isRemoval || other === peer) other.allowedIps.delete(allowedIp);
    if (!isRemoval) peer.allowedIps.add(allowedIp);
  }

  #describe(list: ReturnType<typeof parse>): Buffer[] {
    const device = this.#find(list);
    const head: Raw[] = [
      [1, u32(7)],
      [2, list.find(({ type }) => type === 2)!.value],
      [6, u16(device.port)],
      [7, u32(device.fwmark)],
    ];
    const hasKey = device.privateKey.some((byte) => byte !== 0);
    const parts = [...device.peers].flatMap(([key, peer]) => describePeer(key, peer, this.partSize));
    const groups = Array.from({ length: Math.max(1, Math.ceil(parts.length / this.partSize)) }, (_, i) =>
      parts.slice(i * this.partSize, (i + 1) * this.partSize),
    );
    return groups.map((group, i) => {
      const own: Raw[] = i > 0 ? [] : [...head, ...(hasKey ? [[3, device.privateKey] as const] : [])];
      return Buffer.concat([Buffer.from([0, 1, 0, 0]), attributes(...own, [8, group.map((peer): Raw => [0, peer])])]);
    });
  }
}

function newPeer(): FakePeer {
  return {
    presharedKey: Buffer.alloc(32),
    endpoint: undefined,
    keepalive: 0,
    rxBytes: 0n,
    txBytes: 0n,
    handshake: [0n, 0n],
    allowedIps: new Set(),
  };
}

/** The first part has everything but the allowed IPs that do not fit; the others have the key and more allowed IPs. */
function describePeer(key: string, peer: FakePeer, partSize: number): Raw[][] {
  const ips = [...peer.allowedIps].map((allowedIp): Raw => {
    const [, family, address, length] = /^(\d+):([0-9a-f]+)\/(\d+)$/.exec(allowedIp)!;
    return [
      0,
      [
        [1, u16(Number(family))],
        [2, Buffer.from(address!, 'hex')],
        [3, u8(Number(length))],
      ],
    ];
  });
  const first: Raw[] = [
    [1, Buffer.from(key, 'hex')],
    [2, peer.presharedKey],
    [6, Buffer.concat(peer.handshake.map(u64))],
    [5, u16(peer.keepalive)],
    [8, u64(peer.txBytes)],
    [7, u64(peer.rxBytes)],
    [10, u32(1)],
    ...(peer.endpoint === undefined ? [] : [[4, peer.endpoint] as const]),
  ];
  const parts: Raw[][] = [[...first, [9, ips.slice(0, partSize)]]];
  for (let at = partSize; at < ips.length; at += partSize) {
    parts.push([
      [1, Buffer.from(key, 'hex')],
      [9, ips.slice(at, at + partSize)],
    ]);
  }
  return parts;
}

/** Two messages share a datagram, as the kernel packs them. */
function dump(payloads: readonly Buffer[], type: number, sequence: number, isInterrupted: boolean): Buffer[] {
  const flags = MULTI | (isInterrupted ? INTERRUPTED : 0);
  const messages = payloads.map((payload) => message(type, flags, sequence, payload));
  messages.push(message(DONE, MULTI, sequence, u32(0)));
  return Array.from({ length: Math.ceil(messages.length / 2) }, (_, i) =>
    Buffer.concat(messages.slice(2 * i, 2 * i + 2)),
  );
}

function acknowledgement(sequence: number): Buffer {
  return message(ERROR, CAPPED, sequence, Buffer.alloc(20));
}

function refusal(sequence: number, { errno, message: words }: Refusal): Buffer {
  const head = Buffer.concat([u32(-errno), Buffer.alloc(16)]);
  if (words === '') return message(ERROR, CAPPED, sequence, head);
  return message(ERROR, CAPPED | WORDS, sequence, Buffer.concat([head, attributes([1, text(words)])]));
}
