/**
 * Two hosts on one cable, with a tunnel between them.
 *
 * ```text
 *   left                                                   right
 *   eth0  10.0.0.1/24  ═══════════ cable ══════════  10.0.0.2/24  eth0
 *         fd00:aa::1/64                              fd00:aa::2/64
 *   wg    192.168.241.1/24  ─ ─ ─  tunnel ─ ─ ─  192.168.241.2/24  wg
 *         fd00:bb::1/64                              fd00:bb::2/64
 *   port  51820                                              51820
 * ```
 */
import { type Implementation, subject } from './implementation.js';
import { generatePresharedKey } from './keys.js';
import { addAddresses, Lab } from './lab.js';
import type { Host } from './namespace.js';
import { Wireguard } from './wireguard.js';

export const LEFT = { outer4: '10.0.0.1', outer6: 'fd00:aa::1', inner4: '192.168.241.1', inner6: 'fd00:bb::1' };
export const RIGHT = { outer4: '10.0.0.2', outer6: 'fd00:aa::2', inner4: '192.168.241.2', inner6: 'fd00:bb::2' };
export const PORT = 51820;

export interface TwoHosts {
  readonly lab: Lab;
  readonly left: Host;
  readonly right: Host;
}

export interface Tunnel extends TwoHosts {
  readonly leftWireguard: Wireguard;
  readonly rightWireguard: Wireguard;
}

export interface TunnelOptions {
  /** Default: the implementation under test. */
  readonly left?: Implementation;
  readonly right?: Implementation;
  /** The IP family of the cable that the tunnel uses; default 4. */
  readonly outer?: 4 | 6;
  readonly hasPresharedKey?: boolean;
  /** Default: both sides know where the other is. */
  readonly endpointsAt?: 'left' | 'right' | 'both' | 'none';
  readonly mtu?: number;
}

/** Two hosts and the cable, without any WireGuard. */
export async function connectTwoHosts(t: Parameters<typeof Lab.open>[0]): Promise<TwoHosts> {
  const lab = Lab.open(t);
  const [left, right] = [await lab.host('left'), await lab.host('right')];
  await lab.cable([left, 'eth0'], [right, 'eth0']);
  await addAddresses(
    [left, 'eth0', `${LEFT.outer4}/24`, `${LEFT.outer6}/64`],
    [right, 'eth0', `${RIGHT.outer4}/24`, `${RIGHT.outer6}/64`],
  );
  return { lab, left, right };
}

/** Two hosts with a tunnel that is configured and up. No packet has gone through it. */
export async function openTunnel(t: Parameters<typeof Lab.open>[0], options: TunnelOptions = {}): Promise<Tunnel> {
  const hosts = await connectTwoHosts(t);
  const { lab, left, right } = hosts;
  const [leftWireguard, rightWireguard] = await Promise.all([
    Wireguard.create(lab, left, options.left ?? subject, PORT),
    Wireguard.create(lab, right, options.right ?? subject, PORT),
  ]);
  await introduce(leftWireguard, rightWireguard, options);
  await leftWireguard.up([`${LEFT.inner4}/24`, `${LEFT.inner6}/64`], options.mtu);
  await rightWireguard.up([`${RIGHT.inner4}/24`, `${RIGHT.inner6}/64`], options.mtu);
  return { ...hosts, leftWireguard, rightWireguard };
}

/** Makes both sides peers of each other. */
export async function introduce(left: Wireguard, right: Wireguard, options: TunnelOptions = {}): Promise<void> {
  const { endpointsAt = 'both', outer = 4 } = options;
  const presharedKey = options.hasPresharedKey === true ? generatePresharedKey() : undefined;
  await left.setPeer({
    publicKey: right.publicKey,
    presharedKey,
    allowedIps: `${RIGHT.inner4}/32,${RIGHT.inner6}/128`,
    endpoint: endpointsAt === 'left' || endpointsAt === 'both' ? outerEndpoint(RIGHT, outer) : undefined,
  });
  await right.setPeer({
    publicKey: left.publicKey,
    presharedKey,
    allowedIps: `${LEFT.inner4}/32,${LEFT.inner6}/128`,
    endpoint: endpointsAt === 'right' || endpointsAt === 'both' ? outerEndpoint(LEFT, outer) : undefined,
  });
}

export function outerEndpoint(side: typeof LEFT, outer: 4 | 6, port = PORT): string {
  return outer === 4 ? `${side.outer4}:${port}` : `[${side.outer6}]:${port}`;
}
