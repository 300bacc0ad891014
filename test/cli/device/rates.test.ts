import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { Rates } from '../../../src/cli/device/rates.js';
import { parseDeviceReply } from '../../../src/cli/wg/device-reply.js';
import { device, peer } from '../wg/arbitrary-reply.js';

const NOW_S = 1_800_000_000;

describe('Rates', () => {
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

  at(seconds: number, lines: Record<string, number>) {
    const reply = device(peer({ last_handshake_time_sec: NOW_S - 10, ...lines }));
    const state = parseDeviceReply(Buffer.from(reply), 'wg0', true);
    return this.#rates.look(state, seconds * 1_000, (NOW_S + seconds) * 1_000)[0]!;
  }
}
