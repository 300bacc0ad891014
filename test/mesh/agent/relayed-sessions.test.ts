/** New handshakes with relayed peers, after the hub was away. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import type { PeerView } from '../../../src/core/session/peer-view.js';
import { RelayedSessions } from '../../../src/mesh/agent/relayed-sessions.js';
import type { MapEntry } from '../../../src/mesh/map/messages.js';

const START = Date.UTC(2026, 0, 1);

describe('Sessions that the hub relays', () => {
  it('are renewed when the hub begins anew, and direct ones and those that have ended are not', () => {
    const bench = new Bench({
      relayed: { kind: 'relay', sinceMs: 1_000 },
      carried: { kind: 'carried', sinceMs: 178_000 },
      direct: { kind: 'direct', sinceMs: 1_000 },
      silent: { kind: 'relay', sinceMs: START },
      ended: { kind: 'relay', sinceMs: 180_000 },
      unmanaged: { kind: undefined, sinceMs: 1_000 },
    });
    assert.equal(bench.sessions.hubShookHands(), false);
    assert.deepEqual(bench.asked, [], 'the first handshake of this host');
    bench.nowMs += 1_000;
    assert.equal(bench.sessions.hubShookHands(), false);
    assert.deepEqual(bench.asked, ['relayed', 'carried']);
  });

  it('are left alone when the session with the hub is renewed in its time', () => {
    const bench = new Bench({ relayed: { kind: 'relay', sinceMs: -100_000 } });
    bench.sessions.hubShookHands();
    for (const afterMs of [120_000, 145_000, 190_000]) {
      bench.nowMs += afterMs;
      assert.equal(
        bench.sessions.hubShookHands(),
        true,
        'by a keepalive of this host, or by the hub at the end of the session',
      );
    }
    assert.deepEqual(bench.asked, []);
    bench.nowMs += 200_000;
    assert.equal(bench.sessions.hubShookHands(), false, 'this host slept, or the hub was away');
  });

  it('are renewed when the control connection was made anew', () => {
    const bench = new Bench({ relayed: { kind: 'relay', sinceMs: 1_000 } });
    bench.sessions.hubShookHands();
    bench.sessions.renew();
    assert.deepEqual(bench.asked, ['relayed']);
  });

  it('are not renewed again once they are younger than the session with the hub', () => {
    const bench = new Bench({ relayed: { kind: 'relay', sinceMs: -1 } });
    bench.sessions.hubShookHands();
    bench.sessions.renew();
    assert.deepEqual(bench.asked, []);
  });
});

interface Node {
  readonly kind: 'relay' | 'carried' | 'direct' | undefined;
  /** Its last handshake is so long ago at the start. */
  readonly sinceMs: number;
}

class Bench {
  readonly asked: string[] = [];
  nowMs = START;
  readonly sessions: RelayedSessions;

  constructor(byId: Record<string, Node>) {
    const nodes = Object.entries(byId).map(([id, node]) => ({ id, ...node }));
    const at = (key: Uint8Array) => nodes[key[0]! - 1]!;
    const keyOf = (index: number): string => Buffer.alloc(32, index + 1).toString('base64');
    this.sessions = new RelayedSessions({
      tunnel: {
        peer: (key) => ({ lastHandshakeUnixMs: START - at(key).sinceMs }) as PeerView,
        requestHandshake: (key) => void this.asked.push(at(key).id),
      },
      entries: () => nodes.map(({ id }, index) => ({ record: { id, publicKey: keyOf(index) } }) as MapEntry),
      views: () => new Map(nodes.flatMap(({ id, kind }) => (kind === undefined ? [] : [[id, { kind }] as const]))),
      nowUnixMs: () => this.nowMs,
    });
  }
}
