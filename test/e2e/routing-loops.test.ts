/**
 * Two tunnels of two daemons that carry each other, which neither of them can see.
 *
 * ```text
 *   zero                                    one
 *   outer   192.168.241.1 ─ its datagrams ─▶ inner   fd00::5:1
 *      ▲                                       │
 *      └───────────── its datagrams ◀──────────┘
 * ```
 *
 * `inner` was made in zero and lives in one; `outer` was made in one and lives in zero.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { subject } from '../lab/implementation.js';
import { Lab } from '../lab/lab.js';
import type { Host } from '../lab/namespace.js';
import { assertPings } from '../lab/traffic.js';
import { Wireguard } from '../lab/wireguard.js';

const OUTER_MTU = 1_340;

describe('two tunnels that carry each other', () => {
  // Ten pings, wrapped until they are too long for a tunnel. Headers of IPv4 are shorter: there are more rounds.
  for (const [family, one, two, maxBytes] of [
    ['IPv6', 'fd00::5:1', 'fd00::5:2', 70_000],
    ['IPv4', '10.5.0.1', '10.5.0.2', 90_000],
  ] as const)
    it(`come to rest, since tunnels refuse fragments of datagrams of tunnels (${family})`, {
      timeout: 120_000,
    }, async (t) => {
      const { zero, outer, other } = await openLoop(Lab.open(t), one, two);
      const before = (await outer.peer()).txBytes;
      await zero.attempt('ping', ['-W', '1', '-c', '10', '-f', '192.168.241.2']);
      await new Promise((resolve) => setTimeout(resolve, 1_500));
      const after = (await outer.peer()).txBytes;
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      const later = (await outer.peer()).txBytes;

      assert.ok(after - before < maxBytes, `${after - before} bytes`);
      assert.ok(later - after < 1_000, `${later - after} bytes more in a second`);
      assert.ok(other.daemon!.isRunning && outer.daemon!.isRunning);
    });
});

/** @param one The address of `inner` in the namespace of that name. @param two That of its peer. */
async function openLoop(lab: Lab, one: string, two: string) {
  const hosts = [await lab.host('zero'), await lab.host('one'), await lab.host('two')] as const;
  const [zero, first, second] = hosts;
  const inner = await openInner(lab, hosts, [one, two]);
  const outer = [
    await Wireguard.create(lab, first, subject, 5),
    await Wireguard.create(lab, second, subject, 5),
  ] as const;
  for (const [i, wireguard] of outer.entries()) {
    const far = [two, one][i]!;
    const endpoint = far.includes(':') ? `[${far}]:5` : `${far}:5`;
    await wireguard.setPeer({ publicKey: outer[1 - i]!.publicKey, allowedIps: '0.0.0.0/0', endpoint });
    await wireguard.up([`192.168.241.${1 + i}/24`], OUTER_MTU);
  }
  await assertPings(first, '192.168.241.2');

  await first.ip(`link set ${outer[0].name} netns ${zero.namespace}`);
  await zero.ip(`addr add 192.168.241.1/24 dev ${outer[0].name}`);
  await zero.ip(`link set ${outer[0].name} mtu ${OUTER_MTU} up`);
  await assertPings(zero, '192.168.241.2');
  await inner[0].setPeer({ publicKey: inner[1].publicKey, endpoint: '192.168.241.2:7' });
  await second.ip(`link del ${inner[1].name}`);
  await second.ip(`link del ${outer[1].name}`);
  return { zero, outer: outer[0], other: inner[0] };
}

/** Interfaces that are made in the first namespace and live in the two others. */
async function openInner(lab: Lab, [zero, ...homes]: readonly [Host, Host, Host], addresses: readonly string[]) {
  const inner = [await Wireguard.create(lab, zero, subject, 1), await Wireguard.create(lab, zero, subject, 2)] as const;
  for (const [i, wireguard] of inner.entries()) {
    const allowedIps = `${addresses[1 - i]}/${addresses[0]!.includes(':') ? 128 : 32}`;
    const endpoint = `127.0.0.1:${2 - i}`;
    await wireguard.setPeer({ publicKey: inner[1 - i]!.publicKey, allowedIps, endpoint });
    await zero.ip(`link set ${wireguard.name} netns ${homes[i]!.namespace}`);
    wireguard.host = homes[i]!;
    await wireguard.up([`${addresses[i]}/${addresses[0]!.includes(':') ? 112 : 24}`]);
  }
  return inner;
}
