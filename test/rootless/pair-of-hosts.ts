/** Two hosts in one process, each with a tunnel to the other over loopback. */
import { formatKey } from '../../src/control/key-text.js';
import { generateKeyPair } from '../../src/crypto/key-pair.js';
import { openTunnel } from '../../src/rootless/open-tunnel.js';
import type { TunnelHost } from '../../src/rootless/tunnel-host.js';

export const LEFT = { 4: '10.9.0.1', 6: 'fd09::1' } as const;
export const RIGHT = { 4: '10.9.0.2', 6: 'fd09::2' } as const;

export interface PairOfHosts {
  readonly left: TunnelHost;
  readonly right: TunnelHost;
}

const IS_WITHOUT_ADDON = process.env['WIRETYPE_NO_ADDON'] === '1';

/** Whether a test has the addon: both, unless the whole run does without. */
export const ADDON_SETTINGS: readonly boolean[] = IS_WITHOUT_ADDON ? [false] : [true, false];

/** @param hasAddon `false`: everything by Node alone. */
export async function openPair(hasAddon = true, dns: readonly string[] = []): Promise<PairOfHosts> {
  process.env['WIRETYPE_NO_ADDON'] = hasAddon && !IS_WITHOUT_ADDON ? '0' : '1';
  const [a, b] = [generateKeyPair(), generateKeyPair()];
  const right = await openTunnel({
    privateKey: formatKey(b.privateKey),
    addresses: [`${RIGHT[4]}/24`, `${RIGHT[6]}/64`],
    peers: [{ publicKey: formatKey(a.publicKey), allowedIps: [`${LEFT[4]}/32`, `${LEFT[6]}/128`] }],
  });
  const endpoint = `127.0.0.1:${right.status().listenPort}`;
  const left = await openTunnel({
    privateKey: formatKey(a.privateKey),
    addresses: [`${LEFT[4]}/24`, `${LEFT[6]}/64`],
    dns,
    peers: [{ publicKey: formatKey(b.publicKey), endpoint, allowedIps: ['10.9.0.0/24', 'fd09::/64'] }],
  });
  return { left, right };
}
