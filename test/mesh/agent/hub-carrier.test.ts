/** The carrier of an agent: open while it is wanted and a little longer, and a witness that the hub does not know the key. */
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';

import { HubCarrier } from '../../../src/mesh/agent/hub-carrier.js';
import { Endpoint } from '../../../src/wire/endpoint.js';

const CARRIER = Endpoint.forPath(new Uint8Array(16));

describe('The carrier of an agent', () => {
  it('stays open for a moment when UDP is answered again, and for longer when that was a mistake', (t) => {
    const { facts, opened, carrier } = open(t);
    carrier.want(true);
    carrier.want(false);
    t.mock.timers.tick(4_999);
    carrier.want(true);
    t.mock.timers.tick(10_000);
    assert.deepEqual(opened, ['ws://hub/carry', 'ws://hub/carry']);
    carrier.want(false);
    t.mock.timers.tick(5_000);
    assert.equal(opened.at(-1), undefined);
    assert.equal(facts.greetings, 2);
  });

  it('shows that the hub does not know the key: it takes the connection, and answers nothing', (t) => {
    const { facts, carrier, connect } = open(t);
    carrier.want(true);
    connect(CARRIER);
    t.mock.timers.tick(14_999);
    assert.equal(carrier.isKeyUnknown, false);
    t.mock.timers.tick(1);
    assert.deepEqual([carrier.isKeyUnknown, facts.said], [true, 1]);
    connect(undefined);
    connect(CARRIER);
    t.mock.timers.tick(15_000);
    assert.equal(facts.said, 1, 'it is said once');
    facts.isConnected = true;
    assert.equal(carrier.isKeyUnknown, false);
  });

  it('accuses nobody whose hub answers, is connected, or is not reached', (t) => {
    for (const change of ['answer', 'connected', 'gone', 'closed'] as const) {
      const { facts, carrier, connect } = open(t);
      carrier.want(true);
      connect(CARRIER);
      if (change === 'answer') facts.receivedBytes = 92;
      if (change === 'connected') facts.isConnected = true;
      if (change === 'gone') connect(undefined);
      if (change === 'closed') carrier.close();
      t.mock.timers.tick(60_000);
      assert.deepEqual([carrier.isKeyUnknown, facts.said], [false, 0], change);
      t.mock.timers.reset();
    }
  });
});

function open(t: TestContext) {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const facts = { isConnected: false, receivedBytes: 0, greetings: 0, said: 0 };
  const opened: (string | undefined)[] = [];
  let connect: (endpoint: Endpoint | undefined) => void = () => {};
  const carrier = new HubCarrier({
    sockets: {
      carry: (url, onEndpoint) => {
        opened.push(url);
        connect = onEndpoint;
      },
    },
    hub: { isCarried: false, setCarrier: () => {} },
    url: () => 'ws://hub/carry',
    greet: async () => {
      facts.greetings++;
    },
    onWanted: () => {},
    isConnected: () => facts.isConnected,
    receivedBytes: () => facts.receivedBytes,
    onUnknownKey: () => facts.said++,
  });
  return { facts, opened, carrier, connect: (endpoint: Endpoint | undefined) => connect(endpoint) };
}
