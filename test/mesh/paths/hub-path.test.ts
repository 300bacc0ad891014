import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { HubPath } from '../../../src/mesh/paths/hub-path.js';
import { Endpoint } from '../../../src/wire/endpoint.js';

const KEY = new Uint8Array(32);
const UDP = Endpoint.from(Uint8Array.of(192, 0, 2, 1), 51_820);
const CARRIER = Endpoint.from(Uint8Array.of(240, 0, 0, 1), 1);

describe('HubPath', () => {
  it('wants the carrier at once where the address of the hub is not known, and goes back to UDP when it is', () => {
    const wanted: boolean[] = [];
    const sent: { id: Uint8Array; to: Endpoint }[] = [];
    let next = 0;
    const path = new HubPath({
      random: (bytes) => bytes.fill(++next),
      onChange: () => {},
      wantCarrier: (isWanted) => wanted.push(isWanted),
    });

    path.setHub(KEY, undefined, undefined, 0);
    path.setCarrier(CARRIER);
    assert.deepEqual([wanted, path.isCarried, path.endpoint], [[true], true, CARRIER]);

    path.setHub(KEY, UDP, undefined, 1_000);
    path.runDue(1_000, (id, to) => sent.push({ id: id.slice(), to }));
    assert.equal(sent[0]?.to, UDP);
    path.answered(sent[0]!.id, undefined, 1_020);
    assert.deepEqual([wanted, path.isCarried, path.endpoint], [[true, false], false, UDP]);
  });
});
