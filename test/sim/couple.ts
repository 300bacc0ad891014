import type { Peer } from '../../src/core/session/peer.js';
import type { PeerSettings } from '../../src/sim/peer-settings.js';
import type { Simulation } from '../../src/sim/simulation.js';
import type { TunnelNode } from '../../src/sim/tunnel-node.js';
import { ipPacket, packetPayload } from './ip-packet.js';
import { publicKeyOf } from './plain-noise.js';

export const A_OUTER = '192.0.2.1';
export const B_OUTER = '192.0.2.2';
export const A_OUTER6 = '2001:db8::1';
export const B_OUTER6 = '2001:db8::2';
export const A_INNER = '10.0.0.1';
export const B_INNER = '10.0.0.2';
export const A_INNER6 = 'fd00::1';
export const B_INNER6 = 'fd00::2';

/** Two nodes that are configured for each other, and are up. */
export interface Couple {
  readonly a: TunnelNode;
  readonly b: TunnelNode;
  readonly aPublic: Uint8Array;
  readonly bPublic: Uint8Array;
  readonly aPrivate: Uint8Array;
  readonly bPrivate: Uint8Array;
  /** B as A knows it. */
  readonly bOfA: Peer;
  /** A as B knows it. */
  readonly aOfB: Peer;
}

export interface CoupleOptions {
  /** A's settings for B beyond allowed IPs; the endpoint is B's first address. */
  readonly aboutB?: PeerSettings;
  /** B's settings for A, without an endpoint unless one is given. */
  readonly aboutA?: PeerSettings;
  /** A knows B's endpoint, unless this is false. */
  readonly knowsEndpoint?: boolean;
  readonly a?: TunnelNode;
  readonly b?: TunnelNode;
}

/**
 * Joins two nodes: A knows where B is, B learns where A is.
 *
 * ```text
 *   10.0.0.1  A  192.0.2.1 ───── internet ───── 192.0.2.2  B  10.0.0.2
 *   fd00::1      2001:db8::1              2001:db8::2         fd00::2
 * ```
 */
export function makeCouple(world: Simulation, options: CoupleOptions = {}): Couple {
  const a = options.a ?? world.addNode('a', world.addHost('a', [A_OUTER, A_OUTER6]));
  const b = options.b ?? world.addNode('b', world.addHost('b', [B_OUTER, B_OUTER6]));
  const aPrivate = world.random.bytes(32);
  const bPrivate = world.random.bytes(32);
  const aPublic = publicKeyOf(aPrivate);
  const bPublic = publicKeyOf(bPrivate);

  a.setPrivateKey(aPrivate);
  b.setPrivateKey(bPrivate);
  const endpoint = options.knowsEndpoint === false ? {} : { endpoint: b.address() };
  a.setPeer(bPublic, { allowedIps: [`${B_INNER}/32`, `${B_INNER6}/128`], ...endpoint, ...options.aboutB });
  b.setPeer(aPublic, { allowedIps: [`${A_INNER}/32`, `${A_INNER6}/128`], ...options.aboutA });
  a.setLinkUp(true);
  b.setLinkUp(true);
  return { a, b, aPublic, bPublic, aPrivate, bPrivate, bOfA: a.peer(bPublic), aOfB: b.peer(aPublic) };
}

/** A couple with a confirmed session that A initiated, and an empty record of it. */
export function makeConnectedCouple(world: Simulation, options: CoupleOptions = {}): Couple {
  const couple = makeCouple(world, options);
  couple.a.sendPacket(packetFromA('hello'));
  world.advance(1_000);
  if (receivedTexts(couple.b).at(-1) !== 'hello') throw new Error('the session did not come about');
  forget(world, couple);
  return couple;
}

/** A couple with a session in which nothing is owed any more. */
export function makeQuietCouple(world: Simulation): Couple {
  const couple = makeConnectedCouple(world);
  world.advance(30_000);
  forget(world, couple);
  return couple;
}

/** Kills and starts one side with the same configuration. */
export function restart({ a, b, aPublic, bPublic, aPrivate, bPrivate }: Couple, who: 'a' | 'b'): void {
  const node = who === 'a' ? a : b;
  node.reboot();
  node.setPrivateKey(who === 'a' ? aPrivate : bPrivate);
  if (who === 'a') node.setPeer(bPublic, { endpoint: b.address(B_OUTER), allowedIps: ['10.0.0.2/32'] });
  else node.setPeer(aPublic, { endpoint: a.address(A_OUTER), allowedIps: ['10.0.0.1/32'] });
  node.setLinkUp(true);
}

/** Forgets what was received and seen so far. */
export function forget(world: Simulation, { a, b }: Couple): void {
  a.received.length = 0;
  b.received.length = 0;
  world.network.eve.clear();
}

export function packetFromA(text: string): Uint8Array {
  return textPacket(A_INNER, B_INNER, text);
}

export function packetFromB(text: string): Uint8Array {
  return textPacket(B_INNER, A_INNER, text);
}

export function textPacket(source: string, destination: string, text: string): Uint8Array {
  return ipPacket({ source, destination, payload: new TextEncoder().encode(text) });
}

/** The payloads of the packets that came out at a node, as text. */
export function receivedTexts(node: TunnelNode): string[] {
  return node.received.map((packet) => new TextDecoder().decode(packetPayload(packet)));
}
