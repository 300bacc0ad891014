/** Node opens its debugger on SIGUSR1, for every user of the machine. A daemon that holds keys must not. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { subject, wireguardGo } from '../lab/implementation.js';
import { Lab } from '../lab/lab.js';
import { Wireguard } from '../lab/wireguard.js';

const isSkipped = subject === wireguardGo && 'wireguard-go is not a Node program';

describe('the debugger of Node', { skip: isSkipped }, () => {
  it('does not listen after SIGUSR1, and the daemon goes on', { timeout: 240_000 }, async (t) => {
    const lab = Lab.open(t);
    const host = await lab.host('left');
    const wireguard = await Wireguard.create(lab, host, subject);

    wireguard.daemon!.signal('SIGUSR1');
    for (let i = 0; i < 20; i++) await wireguard.state();

    assert.equal(await host.run('ss', ['-tlnH']), '');
    assert.doesNotMatch(wireguard.daemon!.stderr, /Debugger/);
    assert.equal((await wireguard.state()).listenPort, 51820);
  });
});
