import type { Peer } from '../../src/core/session/peer.js';
import type { Datagram } from '../../src/sim/datagram.js';
import { Host } from '../../src/sim/host.js';
import type { PeerSettings } from '../../src/sim/peer-settings.js';
import type { Simulation } from '../../src/sim/simulation.js';
import { SocketAddress } from '../../src/sim/socket-address.js';
import type { TunnelNode } from '../../src/sim/tunnel-node.js';
import { A_OUTER, textPacket } from './couple.js';
import { publicKeyOf } from './plain-noise.js';
import { openMessage, ScriptedPeer, type ScriptedSession, sealMessage, tai64nOf } from './scripted-peer.js';

export const SCRIPTED_OUTER = '192.0.2.9';
export const SCRIPTED_INNER = '10.0.0.9';
export const NODE_INNER = '10.0.0.1';
const SCRIPTED_PORT = 5_000;

/**
 * One node, and a scripted peer on the other side of the network.
 *
 * ```text
 *   10.0.0.1  node  192.0.2.1:51820 ───── internet ───── 192.0.2.9:5000  script  10.0.0.9
 * ```
 */
export class ScriptedLink {
  readonly node: TunnelNode;
  readonly script: ScriptedPeer;
  readonly host: Host;
  /** The datagrams that arrived at the script, oldest first. */
  readonly inbox: Datagram[] = [];
  readonly nodePublic: Uint8Array;
  readonly nodePrivate: Uint8Array;
  readonly #world: Simulation;
  #unixMs: number;

  constructor(world: Simulation, settings: PeerSettings = {}) {
    this.#world = world;
    this.nodePrivate = world.random.bytes(32);
    this.nodePublic = publicKeyOf(this.nodePrivate);
    this.script = new ScriptedPeer(world.random.bytes(32), this.nodePublic);
    this.host = new Host('script', world.network, [SCRIPTED_OUTER, '2001:db8::9']);
    this.host.listen(SCRIPTED_PORT, (datagram) => this.inbox.push(datagram));
    this.node = world.addNode('node', world.addHost('node', [A_OUTER, '2001:db8::1']));
    this.#unixMs = this.node.wallClock.unixMs;

    this.node.setPrivateKey(this.nodePrivate);
    this.node.setPeer(this.script.staticPublic, { allowedIps: [`${SCRIPTED_INNER}/32`], ...settings });
    this.node.setLinkUp(true);
  }

  /** The script as the node knows it. */
  get peer(): Peer {
    return this.node.peer(this.script.staticPublic);
  }

  get address(): SocketAddress {
    return new SocketAddress(SCRIPTED_OUTER, SCRIPTED_PORT);
  }

  /** Sends to the node, and lets it arrive. */
  send(bytes: Uint8Array, port = SCRIPTED_PORT, source?: string): void {
    this.host.send({ port, to: this.node.address(), bytes, source });
    this.#world.advance(0);
  }

  /** A right initiation with a timestamp that was not used before. */
  initiation(overrides: Partial<Parameters<ScriptedPeer['createInitiation']>[0]> = {}): Uint8Array {
    return this.script.createInitiation({
      timestamp: this.nextTimestamp(),
      senderIndex: this.#world.random.next32(),
      ephemeralPrivate: this.#world.random.bytes(32),
      ...overrides,
    });
  }

  nextTimestamp(): Uint8Array {
    this.#unixMs = Math.max(this.#unixMs + 1, this.node.wallClock.unixMs);
    return tai64nOf(this.#unixMs);
  }

  /** The last message that arrived, of type `type`. @throws {Error} if there is none. */
  lastReceived(type: number): Uint8Array {
    const datagram = this.inbox.findLast(({ bytes }) => bytes[0] === type);
    if (datagram === undefined) throw new Error(`no message of type ${type} arrived`);
    return datagram.bytes;
  }

  /** Does a handshake as initiator. The session is not confirmed: the script has sent nothing under it. */
  connectAsInitiator(): ScriptedSession {
    this.#world.advance(FLOOD_PAUSE_MS);
    this.send(this.initiation());
    return this.script.consumeResponse(this.lastReceived(2));
  }

  /** Answers the last initiation of the node. */
  answer(): ScriptedSession {
    const initiation = this.lastReceived(1);
    this.script.consumeInitiation(initiation);
    const { message, session } = this.script.createResponse(initiation, {
      senderIndex: this.#world.random.next32(),
      ephemeralPrivate: this.#world.random.bytes(32),
    });
    this.send(message);
    return session;
  }

  /** Sends text inside the tunnel. */
  sendText(session: ScriptedSession, counter: bigint, text: string, source = SCRIPTED_INNER): void {
    this.send(sealMessage(session, counter, padded(textPacket(source, NODE_INNER, text))));
  }

  /** The packets that arrived under `session`, keepalives as empty ones. */
  opened(session: ScriptedSession): { counter: bigint; packet: Uint8Array }[] {
    return this.inbox
      .filter(({ bytes }) => bytes[0] === 4 && readIndex(bytes) === session.localIndex)
      .map(({ bytes }) => openMessage(session, bytes));
  }
}

export function padded(packet: Uint8Array): Uint8Array {
  const out = new Uint8Array(Math.ceil(packet.length / 16) * 16);
  out.set(packet);
  return out;
}

const FLOOD_PAUSE_MS = 20;

function readIndex(message: Uint8Array): number {
  return Buffer.from(message).readUInt32LE(4);
}
