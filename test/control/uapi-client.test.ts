import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { NO_ZONES } from '../../src/control/endpoint-text.js';
import { UapiClient } from '../../src/control/uapi-client.js';
import { parseGet } from '../../src/control/uapi-get-parser.js';
import { WireGuardError } from '../../src/core/errors.js';

const CHANGE = { listenPort: 5, replacePeers: false, peers: [] };

describe('UapiClient', () => {
  let directory: string;
  let path: string;
  let server: Server;
  let answer: (socket: Socket) => void = () => {};
  let request = '';

  before(async () => {
    directory = mkdtempSync(join(tmpdir(), 'wiretype-client-'));
    path = join(directory, 'wg0.sock');
    server = createServer((socket) => {
      request = '';
      socket.on('error', () => {}); // the client may have enough
      socket.on('data', (chunk) => {
        request += chunk.toString('latin1');
        if (request.endsWith('\n\n')) answer(socket);
      });
    });
    await new Promise<void>((resolve) => server.listen(path, resolve));
  });

  after(async () => {
    server.close();
    rmSync(directory, { recursive: true });
  });

  it('requests the device and reads the answer', async () => {
    answer = (socket) => socket.end('listen_port=5\nfwmark=16\nerrno=0\n\n');
    const state = await new UapiClient(path, NO_ZONES).get();
    assert.equal(request, 'get=1\n\n');
    assert.deepEqual([state.listenPort, state.fwmark], [5, 16]);
  });

  it('reads an answer that comes byte by byte, from a daemon that keeps the connection', async () => {
    answer = (socket) => {
      for (const byte of 'listen_port=5\nerrno=0\n\n') socket.write(byte);
    };
    assert.equal((await new UapiClient(path, NO_ZONES).get()).listenPort, 5);
  });

  it('reads an answer whose last line feed comes later, from a daemon that keeps the connection', async () => {
    answer = (socket) => {
      socket.write('listen_port=5\nerrno=0\n');
      setTimeout(() => socket.write('\n'), 20);
    };
    assert.equal((await new UapiClient(path, NO_ZONES).get()).listenPort, 5);
  });

  it('sends a change and takes errno=0 for done', async () => {
    answer = (socket) => socket.end('errno=0\n\n');
    await new UapiClient(path, NO_ZONES).set(CHANGE);
    assert.equal(request, 'set=1\nlisten_port=5\n\n');
  });

  for (const sign of ['', '-']) {
    it(`takes errno=${sign}98 for a refusal, to get as to set`, async () => {
      answer = (socket) => socket.end(`errno=${sign}98\n\n`);
      const client = new UapiClient(path, NO_ZONES);
      await assert.rejects(client.set(CHANGE), { code: 'ERR_CONTROL_REFUSED', cause: 98 });
      await assert.rejects(client.get(), { code: 'ERR_CONTROL_REFUSED' });
    });
  }

  for (const text of ['', 'errno=0', 'errno=x\n\n', 'x\n\n', '\n']) {
    it(`does not understand the answer ${JSON.stringify(text)}`, async () => {
      answer = (socket) => socket.end(text);
      const client = new UapiClient(path, NO_ZONES);
      await assert.rejects(client.set(CHANGE), { code: 'ERR_CONTROL_REPLY' });
      await assert.rejects(client.get(), { code: 'ERR_CONTROL_REPLY' });
    });
  }

  it('reports that no daemon answers where there is no socket', async () => {
    await assert.rejects(new UapiClient(`${path}x`, NO_ZONES).get(), { code: 'ERR_CONTROL_UNREACHABLE' });
  });

  it('reads any bytes as an answer, or refuses them', () => {
    const line = fc.oneof(
      fc.constantFrom('public_key=', 'endpoint=[fd00::1]:7', 'errno=0', 'allowed_ip=10.0.0.0/8', 'rx_bytes=1', ''),
      fc.constant(`public_key=${'07'.repeat(32)}`),
      fc.string({ unit: 'binary', maxLength: 20 }),
    );
    const reply = fc.oneof(
      fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
      fc.array(line).map((lines) => Buffer.from(`${lines.join('\n')}\n\n`)),
    );
    fc.assert(
      fc.property(reply, (bytes) => {
        try {
          const state = parseGet(bytes, NO_ZONES);
          assert.ok(Array.isArray(state.peers));
        } catch (error) {
          assert.ok(error instanceof WireGuardError && /^ERR_CONTROL_RE(?:PLY|FUSED)$/.test(error.code), String(error));
        }
      }),
      { numRuns: 1_000 },
    );
  });
});
