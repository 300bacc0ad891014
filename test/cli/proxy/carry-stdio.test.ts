import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { Duplex, PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, it, type TestContext } from 'node:test';

import { carryStdio } from '../../../src/cli/proxy/carry-stdio.js';
import { DirectExit } from '../../../src/proxy/exits/direct-exit.js';
import { Router } from '../../../src/proxy/rules/router.js';

const HERE = '127.0.0.1';
const TIMEOUT = { timeout: 30_000 };
const NEVER = new AbortController().signal;

describe('standard input and output, connected with a port', () => {
  it('end when both directions have ended, each for itself', TIMEOUT, async (t) => {
    const to = await serve(t, (socket) => {
      socket.end('first');
      socket.once('data', () => socket.once('end', () => {}));
    });
    const { input, output, stream } = standard();

    const status = carryStdio(() => stream, to, router(), NEVER);
    assert.equal(await text(output), 'first');
    input.end('second');

    assert.equal(await status, 0);
  });

  it('end with status 1 if the connection breaks', TIMEOUT, async (t) => {
    const to = await serve(t, (socket) => socket.once('data', () => socket.resetAndDestroy()));
    const { input, stream } = standard();
    input.write('x');

    assert.equal(await carryStdio(() => stream, to, router(), NEVER), 1);
  });

  it('are left alone if there is no connection', TIMEOUT, async () => {
    const open = () => assert.fail('it was opened');

    await assert.rejects(carryStdio(open, { host: HERE, port: 1 }, router(), NEVER), {
      code: 'ERR_NO_CONNECTION',
      message: /127\.0\.0\.1:1 refused the connection/,
    });
  });

  it('end at an interruption', TIMEOUT, async (t) => {
    const interruption = new AbortController();
    const to = await serve(t, (socket) => socket.once('data', () => interruption.abort()));
    const { input, stream } = standard();
    input.write('x');

    await carryStdio(() => stream, to, router(), interruption.signal);
  });
});

function router(): Router {
  return new Router({
    tunnels: [Object.assign(new DirectExit(), { name: 'here' })],
    direct: new DirectExit(),
    rules: [],
  });
}

function standard() {
  const [input, output] = [new PassThrough(), new PassThrough()];
  return { input, output, stream: Duplex.from({ readable: input, writable: output }) };
}

async function serve(t: TestContext, onConnection: (socket: Socket) => unknown) {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    t.after(() => socket.destroy());
    socket.on('error', () => {}).resume();
    onConnection(socket);
  });
  server.listen(0, HERE);
  await once(server, 'listening');
  t.after(() => server.close());
  return { host: HERE, port: (server.address() as AddressInfo).port };
}
