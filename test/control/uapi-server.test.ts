import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import * as fc from 'fast-check';
import type { DeviceControl, DeviceState, PeerState } from '../../src/control/device-control.js';
import { parseIpPrefix } from '../../src/control/ip-text.js';
import { UapiClient } from '../../src/control/uapi-client.js';
import { UapiServer, type UapiServerOptions } from '../../src/control/uapi-server.js';
import { formatSet } from '../../src/control/uapi-set-text.js';
import type { ZoneNames } from '../../src/control/zone-names.js';
import type { DeviceChange } from '../../src/core/configuration.js';
import { WireGuardError } from '../../src/core/errors.js';
import { SerialQueue } from '../../src/host/serial-queue.js';
import { arbitraryChange } from './arbitrary-change.js';

const ZONES: ZoneNames = { indexOf: () => undefined, nameOf: () => undefined };
const KEY = 'ab'.repeat(32);
const GET = 'get=1\n\n';
const EMPTY_STATE = 'errno=0\n\n';

/** Records its changes. */
class RecordingControl implements DeviceControl {
  state: DeviceState = { privateKey: undefined, listenPort: 0, fwmark: 0, peers: [] };
  readonly applied: DeviceChange[] = [];
  error: Error | undefined;

  readonly #queue = new SerialQueue();

  read<T>(reader: (state: DeviceState) => T | Promise<T>): Promise<T> {
    return this.#queue.run(() => reader(this.state));
  }

  apply(change: DeviceChange): Promise<void> {
    return this.#queue.run(() => this.applyNow(change));
  }

  applyNow(change: DeviceChange): void {
    if (this.error !== undefined) throw this.error;
    this.applied.push(structuredClone({ ...change, peers: change.peers.map(({ endpoint, ...rest }) => rest) }));
  }
}

describe('UAPI server', { timeout: 240_000 }, () => {
  let directory: string;
  let path: string;
  let control: RecordingControl;
  let refused: string[];
  let uapi: UapiServer;
  let listener: Server;

  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'wiretype-uapi-'));
    path = join(directory, 'server.sock');
  });
  after(() => rmSync(directory, { recursive: true }));

  beforeEach(async () => {
    control = new RecordingControl();
    refused = [];
    uapi = new UapiServer(control, {
      onRefused: (operation, { errno, key }) => void refused.push(`${operation} ${key} ${errno}`),
      readZones: () => ZONES,
    });
    listener = createServer({ allowHalfOpen: true }, (socket) => void uapi.serve(socket));
    await once(listener.listen(path), 'listening');
  });

  function listenWith(options: UapiServerOptions): void {
    uapi = new UapiServer(control, { readZones: () => ZONES, ...options });
  }

  afterEach(async () => {
    uapi.close();
    await new Promise((resolve) => listener.close(resolve));
  });

  it('answers a get, also to a client that only stopped sending', async () => {
    assert.equal(await exchange(path, GET), EMPTY_STATE);
    assert.equal(await exchange(path, 'get=1\n'), EMPTY_STATE);
  });

  it('applies a set once and answers errno=0', async () => {
    assert.equal(await exchange(path, 'set=1\nlisten_port=7\n\n'), 'errno=0\n\n');
    assert.deepEqual(control.applied, [{ listenPort: 7, replacePeers: false, peers: [] }]);
  });

  it('applies a set that ends with the connection', async () => {
    assert.equal(await exchange(path, 'set=1\nlisten_port=7\n'), 'errno=0\n\n');
    assert.equal(control.applied.length, 1);
  });

  it('forgets a set whose sender died in the middle', async () => {
    const socket = connect(path);
    socket.write('set=1\nlisten_port=7\n', () => socket.destroy());
    await once(socket, 'close');
    await exchange(path, GET);
    await nextTurn();

    assert.deepEqual(control.applied, []);
  });

  it('applies nothing of a set with a refused line, and reports the refusal once', async () => {
    assert.equal(await exchange(path, `set=1\nlisten_port=7\npublic_key=${KEY}\nendpoint=x\nfoo\n\n`), 'errno=-22\n\n');
    assert.deepEqual(control.applied, []);
    assert.deepEqual(refused, ['set endpoint 22']);
  });

  it('refuses a set with a negative errno and a get with a positive one, and ends after that', async () => {
    assert.equal(await exchange(path, 'set=1\nx\n\n'), 'errno=-71\n\n');
    assert.equal(await exchange(path, `get=1\nx\n\n${GET}`), 'errno=22\n\n');
  });

  for (const [code, errno] of [
    ['ERR_PORT_IN_USE', 98],
    ['ERR_SOCKET_MARK', 1],
    ['ERR_TOO_MANY_PEERS', 22],
  ] as const)
    it(`tells ${code} as errno ${errno}`, async () => {
      control.error = new WireGuardError(code, 'port 7 is taken');
      assert.equal(await exchange(path, 'set=1\nlisten_port=7\n\n'), `errno=-${errno}\n\n`);
      assert.deepEqual(refused, [`set  ${errno}`]);
    });

  it('ends silently with what speaks another protocol', async () => {
    for (const text of ['GET / HTTP/1.1\r\n\r\n', '\n', 'x'.repeat(100_000)])
      assert.equal(await exchange(path, text), '');
    assert.deepEqual(refused, []);
  });

  it('ignores connections that send nothing', async () => {
    for (let i = 0; i < 20; i++) connect(path).destroy();
    const silent = connect(path);
    await once(silent, 'connect');

    assert.equal(await exchange(path, GET), EMPTY_STATE);
    silent.destroy();
    assert.deepEqual(refused, []);
  });

  it('answers pipelined requests in order, wherever they are cut', async () => {
    const request = fc.oneof(
      arbitraryChange.map((change) => ({
        text: `set=1\n${formatSet(change, ZONES).toString('latin1')}\n`,
        reply: 'errno=0\n\n',
      })),
      fc.constant({ text: GET, reply: EMPTY_STATE }),
      fc.constant({ text: 'set=1\nfwmark=x\nfwmark=2\n\n', reply: 'errno=-22\n\n' }),
    );
    const scripts = fc.tuple(fc.array(request, { maxLength: 8 }), fc.array(fc.nat(300), { maxLength: 10 }));
    await fc.assert(
      fc.asyncProperty(scripts, async ([requests, cuts]) => {
        const text = requests.map((one) => one.text).join('');
        assert.equal(await exchange(path, text, cuts), requests.map((one) => one.reply).join(''));
      }),
      { numRuns: 50 },
    );
  });

  it('survives arbitrary bytes, in arbitrary pieces', async () => {
    const pieces = fc.oneof(fc.constantFrom('set=1\n', 'get=1\n', '\n', 'public_key=', KEY), fc.string());
    await fc.assert(
      fc.asyncProperty(fc.array(pieces), fc.array(fc.nat(50)), async (texts, cuts) => {
        await exchange(path, texts.join(''), cuts);
      }),
      { numRuns: 100 },
    );
    assert.equal(await exchange(path, GET), EMPTY_STATE);
  });

  it('serves many clients at once', async () => {
    const replies = await Promise.all(Array.from({ length: 100 }, () => exchange(path, `${GET}set=1\n\n${GET}`)));
    assert.deepEqual(new Set(replies), new Set([EMPTY_STATE.repeat(3)]));
  });

  it('reports and accepts 10,000 peers, a few per turn of the loop', async () => {
    control.state = { ...control.state, peers: manyPeers(10_000) };
    const turns = countTurns();

    const reply = await exchange(path, GET);
    assert.equal(reply.match(/public_key=/g)?.length, 10_000);
    assert.ok(turns.stop() > 20, 'others had their turns meanwhile');

    const body = manyPeers(10_000).map(
      (_, i) => `public_key=${i.toString(16).padStart(64, '0')}\nendpoint=192.0.2.1:1\nallowed_ip=10.0.0.1/32\n`,
    );
    assert.equal(await exchange(path, `set=1\n${body.join('')}\n`), 'errno=0\n\n');
    assert.equal(control.applied[0].peers.length, 10_000);
  });

  it('takes 65,280 allowed IPs of each family for one peer', async () => {
    const lines: string[] = [];
    for (let i = 0; i < 65_280; i++)
      lines.push(`allowed_ip=10.${(i >> 8) & 0xff}.${i & 0xff}.0/24\n`, `allowed_ip=fd00:${i.toString(16)}::/32\n`);
    assert.equal(await exchange(path, `set=1\npublic_key=${KEY}\n${lines.join('')}\n`), 'errno=0\n\n');
    assert.equal(control.applied[0].peers[0].allowedIps.length, 2 * 65_280);
  });

  it('keeps a set out of a get that is on its way', async () => {
    control.state = { ...control.state, peers: manyPeers(5_000) };
    let peersAtSet = -1;
    control.applyNow = () => {
      peersAtSet = reading.size;
    };
    const reading = new Set<number>();
    control.state = { ...control.state, peers: spied(manyPeers(5_000), (i) => reading.add(i)) };

    const [reply] = await Promise.all([exchange(path, GET), nextTurn().then(() => exchange(path, 'set=1\n\n'))]);

    assert.equal(reply.match(/public_key=/g)?.length, 5_000);
    assert.ok(peersAtSet === 5_000 || peersAtSet === 0, `set came after ${peersAtSet} peers`);
  });

  it('answers hundreds of requests over one connection in the order in which they came', async () => {
    const requests = Array.from({ length: 200 }, (_, i) => `set=1\nlisten_port=${i + 1}\npublic_key=${KEY}\n\n${GET}`);
    control.applyNow = ({ listenPort }) => {
      control.state = { ...control.state, listenPort: listenPort! };
    };
    const expected = requests.map((_, i) => `errno=0\n\nlisten_port=${i + 1}\nerrno=0\n\n`);
    assert.equal(await exchange(path, requests.join('')), expected.join(''));
  });

  describe('with a client that does not read', () => {
    const limits = { answerMs: 300 };

    it('keeps no more of the answers than it can write, cuts the client off, and goes on with others', async () => {
      listenWith({ limits });
      let told = 0;
      control.state = { ...control.state, peers: spied(manyPeers(20_000), () => void told++) };
      const stuck = connect(path);
      stuck.on('error', () => {});
      stuck.write(GET.repeat(50));
      await once(stuck, 'connect');
      stuck.pause();

      const set = exchange(path, 'set=1\nlisten_port=7\n\n');
      assert.equal(await set, 'errno=0\n\n');
      assert.ok(told < 20_000, `${told} peers were written for nobody`);
      stuck.destroy();
    });
  });

  it('cuts off a client that is silent', async () => {
    listenWith({ limits: { idleMs: 50 } });
    const silent = connect(path);
    await once(silent, 'connect');
    await once(silent, 'close');
    assert.equal(await exchange(path, GET), EMPTY_STATE);
  });

  it('makes room for a new client by cutting off the client that was silent for the longest time', async () => {
    const clients: Socket[] = [];
    for (let i = 0; i < 256; i++) {
      const client = connect(path);
      client.on('error', () => {});
      await once(client, 'connect');
      clients.push(client);
    }
    const cut = once(clients[0], 'close');
    assert.equal(await exchange(path, GET), EMPTY_STATE);
    await cut;
    assert.equal(clients.filter(({ destroyed }) => destroyed).length, 1);
    for (const client of clients) client.destroy();
  });

  it('reports an error of the system, and goes on', async () => {
    const failures: string[] = [];
    let isScarce = true;
    const readZones = () => {
      if (isScarce) throw Object.assign(new Error('EMFILE: too many open files'), { errno: -24, code: 'EMFILE' });
      return ZONES;
    };
    listenWith({ readZones, onFailed: ({ message }) => void failures.push(message) });
    for (const request of [GET, `set=1\npublic_key=${KEY}\nendpoint=192.0.2.1:1\n\n`])
      assert.match(await exchange(path, request), /^errno=-?5\n\n$/);
    assert.equal(failures.length, 2);
    isScarce = false;
    assert.equal(await exchange(path, GET), EMPTY_STATE);
  });

  it('is what our own client talks to', async () => {
    const client = new UapiClient(path, ZONES);
    control.state = { ...control.state, listenPort: 51_820, peers: manyPeers(2) };

    const state = await client.get();
    assert.equal(state.listenPort, 51_820);
    assert.deepEqual([...state.peers], manyPeers(2));

    await client.set({ listenPort: 9, replacePeers: false, peers: [] });
    assert.equal(control.applied[0].listenPort, 9);

    control.error = new WireGuardError('ERR_PORT_IN_USE', 'taken');
    await assert.rejects(client.set({ replacePeers: true, peers: [] }), { code: 'ERR_CONTROL_REFUSED', cause: 98 });
  });

  it('cannot be reached by our client once it is gone', async () => {
    const nowhere = new UapiClient(join(directory, 'nowhere.sock'), ZONES);
    await assert.rejects(nowhere.get(), { code: 'ERR_CONTROL_UNREACHABLE' });
  });
});

/** Sends all of `text`, cut at the given lengths, ends its side, and collects the answer. */
async function exchange(path: string, text: string, cuts: readonly number[] = []): Promise<string> {
  const socket = connect({ path, allowHalfOpen: true });
  socket.on('error', () => {}); // the server may close before it has read everything
  const reply = collect(socket);
  let at = 0;
  for (const length of cuts) {
    socket.write(text.slice(at, at + length));
    at += length;
    await nextTurn();
  }
  socket.end(text.slice(at));
  return await reply;
}

function collect(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    socket.setEncoding('latin1');
    socket.on('data', (part: string) => {
      text += part;
    });
    socket.on('close', () => resolve(text));
  });
}

function manyPeers(count: number): PeerState[] {
  return Array.from({ length: count }, (_, i) => ({
    publicKey: Uint8Array.from(Buffer.from(i.toString(16).padStart(64, '0'), 'hex')),
    presharedKey: new Uint8Array(32),
    endpoint: undefined,
    persistentKeepaliveSeconds: 25,
    rxBytes: i,
    txBytes: i,
    lastHandshakeUnixMs: 1_700_000_000_000,
    allowedIps: [parseIpPrefix('10.0.0.1/32')!, parseIpPrefix('fd00::1/128')!],
  }));
}

function* spied<T>(items: readonly T[], onItem: (index: number) => void): Generator<T> {
  for (const [index, item] of items.entries()) {
    onItem(index);
    yield item;
  }
}

/** Counts how often the event loop comes round. */
function countTurns(): { stop(): number } {
  let turns = 0;
  let next = setImmediate(count);
  function count(): void {
    turns++;
    next = setImmediate(count);
  }
  return {
    stop: () => {
      clearImmediate(next);
      return turns;
    },
  };
}
