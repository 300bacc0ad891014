/**
 * Every pairing of implementations carries every kind of traffic, whichever side begins, with offloads and without.
 *
 * Topology: `test/lab/two-hosts.ts`. Only the initiator knows an endpoint.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { type Implementation, plainWiretype, subject, wireguardGo } from '../lab/implementation.js';
import { assertPings, transfer } from '../lab/traffic.js';
import { LEFT, openTunnel, RIGHT, type Tunnel } from '../lab/two-hosts.js';

/** The greatest MTU that the kernel's own tests use: what fits into 34,816 bytes with 80 bytes of overhead. */
const LARGE_MTU = 34_816 - 80;

type Pairing = readonly [initiator: Implementation, responder: Implementation];
type Variant = readonly [outer: 4 | 6, hasPresharedKey: boolean];

const PAIRINGS: readonly Pairing[] = [
  [subject, subject],
  [subject, wireguardGo],
  [wireguardGo, subject],
];
const VARIANTS: readonly Variant[] = [
  [4, false],
  [4, true],
  [6, false],
  [6, true],
];

const PLAIN_PAIRINGS: readonly Pairing[] = [
  [plainWiretype, plainWiretype],
  [plainWiretype, subject],
  [plainWiretype, wireguardGo],
  [wireguardGo, plainWiretype],
];
/** Offloads are about packets: what a key changes is seen above. */
const PLAIN_VARIANTS: readonly Variant[] = [
  [4, false],
  [6, true],
];

for (const [left, right] of PAIRINGS) describePairing(left, right, VARIANTS);
for (const [left, right] of PLAIN_PAIRINGS) describePairing(left, right, PLAIN_VARIANTS);

function describePairing(left: Implementation, right: Implementation, variants: readonly Variant[]): void {
  describe(`${left.title} initiates to ${right.title}`, { concurrency: 2 }, () => {
    for (const [outer, hasPresharedKey] of variants) {
      const key = hasPresharedKey ? 'with' : 'without';
      it(`over IPv${outer}, ${key} a preshared key`, { timeout: 240_000 }, async (t) => {
        const tunnel = await openTunnel(t, { left, right, outer, hasPresharedKey, endpointsAt: 'left' });

        await assertCarriesPings(tunnel, 8_000);
        await assertCarriesStreams(tunnel, 1_200);
        await tunnel.leftWireguard.setMtu(LARGE_MTU);
        await tunnel.rightWireguard.setMtu(LARGE_MTU);
        await assertCarriesPings(tunnel, LARGE_MTU - 48);
        await assertCarriesStreams(tunnel, 30_000);

        assert.ok((await tunnel.rightWireguard.peer()).rxBytes > 20_000_000);
      });
    }
  });
}

/** The initiator speaks first; `largeBytes` is the payload of pings that fragment inside or outside of the tunnel. */
async function assertCarriesPings({ left, right }: Tunnel, largeBytes: number): Promise<void> {
  await assertPings(left, RIGHT.inner4);
  await Promise.all([
    assertPings(left, RIGHT.inner6),
    assertPings(right, LEFT.inner4, { size: largeBytes }),
    assertPings(right, LEFT.inner6, { size: largeBytes }),
    assertPings(left, RIGHT.inner4, { size: 60_000 }),
  ]);
}

async function assertCarriesStreams({ left, right }: Tunnel, datagramBytes: number): Promise<void> {
  const bytes = 20_000_000;
  for (const [address, isReverse] of [
    [RIGHT.inner4, false],
    [RIGHT.inner6, true],
  ] as const) {
    const stream = await transfer(left, right, address, { bytes, isReverse });
    assert.ok(stream.arrivedBytes > bytes * 0.7, `TCP to ${address}: ${stream.arrivedBytes} bytes`);
    // No more than the receiver's socket holds: a slow machine loses none of them.
    const datagrams = await transfer(left, right, address, { bytes: 100_000, isUdp: true, datagramBytes, isReverse });
    assert.ok(datagrams.lostPercent <= 5, `UDP to ${address}: ${datagrams.lostPercent} % lost`);
  }
}
