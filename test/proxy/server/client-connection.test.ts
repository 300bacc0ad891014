import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, it, mock } from 'node:test';

import { ClientConnection, closeAfter } from '../../../src/proxy/server/client-connection.js';
import { attemptFor } from '../../../src/proxy/server/connect-attempt.js';
import { ProxyCounters } from '../../../src/proxy/server/proxy-counters.js';

const REQUEST_MS = 30_000;
const CONNECT_MS = 30_000;
const LINGER_MS = 5_000;

describe('the times of a connection', () => {
  beforeEach(() => mock.timers.enable({ apis: ['setTimeout'] }));
  afterEach(() => mock.timers.reset());

  it('end a client that makes no request within 30 s, however slowly it goes on', () => {
    const { connection, counters } = make();
    connection.awaitRequest();
    mock.timers.tick(REQUEST_MS - 1);
    connection.count(1, true);
    assert.equal(connection.socket.destroyed, false);
    mock.timers.tick(1);
    assert.equal(connection.socket.destroyed, true);
    assert.equal(counters.refused.silent, 1);
  });

  it('have no end once the request is there', () => {
    const { connection } = make();
    connection.awaitRequest();
    connection.requestArrived();
    mock.timers.tick(100 * REQUEST_MS);
    assert.equal(connection.socket.destroyed, false);
  });

  it('give a client that was refused five seconds to read why', () => {
    const { connection } = make();
    closeAfter(connection.socket, 'no');
    mock.timers.tick(LINGER_MS - 1);
    assert.equal(connection.socket.destroyed, false);
    mock.timers.tick(1);
    assert.equal(connection.socket.destroyed, true);
  });

  it('end an attempt to connect after 30 s, and at once when the client is gone', async () => {
    const { connection } = make();
    const late = attemptFor(connection.socket, forever);
    mock.timers.tick(CONNECT_MS);
    await assert.rejects(late, { code: 'ETIMEDOUT' });

    const gone = attemptFor(connection.socket, forever);
    connection.socket.destroy();
    await assert.rejects(gone, { code: 'ECANCELED' });
    await assert.rejects(attemptFor(connection.socket, forever), { code: 'ECANCELED' });
  });
});

function make() {
  const counters = new ProxyCounters();
  const socket = new PassThrough({ autoDestroy: false }) as unknown as Socket;
  return { counters, connection: new ClientConnection(socket, counters) };
}

function forever(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason));
  });
}
