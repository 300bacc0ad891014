import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { Rates } from '../../../src/cli/device/rates.js';
import { parseDeviceReply } from '../../../src/cli/wg/get-device.js';
import { device, peer } from '../wg/arbitrary-reply.js';

const NOW_S = 1_800_000_000;

describe('Rates', () => {
  it('hints at packets that were dropped since the last look, for 15 s, with the reason of most of them', () => {
    const looks = new Script();
    assert.equal(looks.at(0, {}, { replayed: 5 }).hint, undefined);
    const look = looks.at(1, {}, { replayed: 6, disallowed_source: 3 });
    assert.equal(look.hint, 'dropping');
    assert.equal(look.dropped!.reason, 'disallowed_source');
    assert.equal(look.dropped!.packets, 3);
    assert.equal(look.droppedPackets, 9);
    assert.equal(looks.at(15, {}, { replayed: 6, disallowed_source: 3 }).hint, 'dropping');
    assert.equal(looks.at(16, {}, { replayed: 6, disallowed_source: 3 }).hint, undefined);
  });

  it('does not take a daemon that starts anew for one that drops', () => {
    const looks = new Script();
    looks.at(0, {}, { replayed: 5 });
    assert.equal(looks.at(1, {}, {}).hint, undefined);
    assert.equal(looks.at(2, {}, { replayed: 1 }).hint, 'dropping');
  });

  it('knows of no drops where the daemon does not tell', () => {
    const looks = new Script();
    assert.equal(looks.at(0, {}).droppedPackets, undefined);
    assert.equal(looks.at(1, {}, { replayed: 5 }).hint, undefined);
    assert.equal(looks.at(2, {}, {}).droppedPackets, 0);
  });

  it('points at silence before it points at drops', () => {
    const looks = new Script();
    looks.at(0, { rx_bytes: 1, tx_bytes: 1 }, {});
    looks.at(1, { rx_bytes: 1, tx_bytes: 2 }, {});
    assert.equal(looks.at(16, { rx_bytes: 1, tx_bytes: 3 }, { bad_tag: 1 }).hint, 'unanswered');
  });

  it('divides by the time between two looks', () => {
    const looks = new Script();
    looks.at(0, { rx_bytes: 100, tx_bytes: 50 });
    const { rxRate, txRate } = looks.at(2, { rx_bytes: 2_100, tx_bytes: 150 });
    assert.deepEqual([rxRate, txRate], [1_000, 50]);
  });

  it('has no rate at the first look, and none when the counters start anew', () => {
    const looks = new Script();
    assert.equal(looks.at(0, { rx_bytes: 100 }).rxRate, 0);
    assert.equal(looks.at(1, { rx_bytes: 10 }).rxRate, 0);
  });

  it('hints at a peer that was sent to and never answered', () => {
    assert.equal(new Script().at(0, { tx_bytes: 148, last_handshake_time_sec: 0 }).hint, 'no-handshake');
    assert.equal(new Script().at(0, { last_handshake_time_sec: 0 }).hint, undefined);
  });

  it('hints when nothing came back for 15 s, counted from the first that was sent (§6.5)', () => {
    const looks = new Script();
    looks.at(0, { rx_bytes: 1, tx_bytes: 1 });
    looks.at(1, { rx_bytes: 1, tx_bytes: 2 });
    assert.equal(looks.at(15, { rx_bytes: 1, tx_bytes: 3 }).hint, undefined);
    assert.equal(looks.at(16, { rx_bytes: 1, tx_bytes: 4 }).hint, 'unanswered');
    assert.equal(looks.at(17, { rx_bytes: 2, tx_bytes: 4 }).hint, undefined);
  });

  it('does not hint at a peer that nobody speaks to', () => {
    const looks = new Script();
    looks.at(0, { rx_bytes: 1, tx_bytes: 1 });
    assert.equal(looks.at(600, { rx_bytes: 1, tx_bytes: 1 }).hint, undefined);
  });

  it('hints at a session of more than 180 s that is being used and not renewed (§6.2)', () => {
    const looks = new Script();
    looks.at(0, { tx_bytes: 1, last_handshake_time_sec: NOW_S - 179 });
    assert.equal(looks.at(1, { tx_bytes: 2, last_handshake_time_sec: NOW_S - 179 }).hint, undefined);
    assert.equal(looks.at(2, { tx_bytes: 3, last_handshake_time_sec: NOW_S - 179 }).hint, 'expired');
  });
});

/** One peer, looked at at given seconds. */
class Script {
  readonly #rates = new Rates();

  /** @param drops Of the one peer; absent: the daemon does not tell. */
  at(seconds: number, lines: Record<string, number>, drops?: Record<string, number>) {
    const reply = device(peer({ last_handshake_time_sec: NOW_S - 10, ...lines }));
    const state = parseDeviceReply(Buffer.from(reply), 'wg0', true);
    const key = Buffer.from(state.peers[0]!.publicKey).toString('base64');
    const told = drops === undefined ? undefined : new Map([[key, new Map(Object.entries(drops))]]);
    return this.#rates.look(state, seconds * 1_000, (NOW_S + seconds) * 1_000, told)[0]!;
  }
}
