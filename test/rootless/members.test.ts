import assert from 'node:assert/strict';
import dgram from 'node:dgram';
import net from 'node:net';
import { after, before, describe, it } from 'node:test';

import { openPair, type PairOfHosts } from './pair-of-hosts.js';

const INTERNAL = 'begins with an underscore, and libraries of today do without it';

/** Members of Node's own classes that a tunnel's sockets lack, and why. */
const MISSING: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'net.Socket': {
    _unrefTimer: INTERNAL,
    _onTimeout: INTERNAL,
    _connecting: 'deprecated since Node 6 in favour of connecting',
    _reset: INTERNAL,
    _getpeername: INTERNAL,
    _getsockname: INTERNAL,
    _writeGeneric: INTERNAL,
    _bytesDispatched: 'deprecated since Node 9 in favour of bytesWritten',
    _handle: 'there is no handle of the system: TLS and HTTP would hand bytes to it directly',
    _hadError: 'http.ClientRequest sets it itself',
    _parent: INTERNAL,
    _closeAfterHandlingError: INTERNAL,
    _sockname: INTERNAL,
    _pendingData: INTERNAL,
    _pendingEncoding: INTERNAL,
    _server: 'server has the same value',
    // Members of later versions of Node.
    getTypeOfService: 'packets of the tunnel have no type of service of their own',
    setTypeOfService: 'packets of the tunnel have no type of service of their own',
  },
  'net.Server': {
    _listen2: INTERNAL,
    _emitCloseIfDrained: INTERNAL,
    _setupWorker: INTERNAL,
    _connections: 'getConnections has the number',
    _handle: 'there is no handle of the system',
    _usingWorkers: INTERNAL,
    _workers: INTERNAL,
    _unref: INTERNAL,
    _listeningId: INTERNAL,
    allowHalfOpen: 'an option of createServer, which Node keeps as a property',
    pauseOnConnect: 'an option of createServer, which Node keeps as a property',
    noDelay: 'an option of createServer, which Node keeps as a property',
    keepAlive: 'an option of createServer, which Node keeps as a property',
    keepAliveInitialDelay: 'an option of createServer, which Node keeps as a property',
    highWaterMark: 'an option of createServer, which Node keeps as a property',
    'Symbol(nodejs.rejection)': 'a handler that rejects is an unhandled rejection, as with every other emitter',
    // Members of later versions of Node.
    dropMaxConnection: 'a connection beyond maxConnections is dropped always',
    blockList: 'AllowedIPs is the list of who may send',
  },
  'dgram.Socket': {
    sendto: 'not documented; send takes the same arguments',
    _handle: 'there is no handle of the system',
    _receiving: INTERNAL,
    _bindState: INTERNAL,
    _queue: INTERNAL,
    _reuseAddr: INTERNAL,
    _healthCheck: INTERNAL,
    _stopReceiving: INTERNAL,
    // Members of later versions of Node.
    bindSync: 'bind opens the port at once already',
    connectSync: 'connect with an address is enough, and names take time',
  },
};

describe('the members of a socket of the tunnel', { timeout: 30_000 }, () => {
  let pair: PairOfHosts;
  before(async () => {
    pair = await openPair();
  });
  after(async () => {
    await pair.left.close();
    await pair.right.close();
  });

  it('are those of net.Socket, net.Server and dgram.Socket, but for those that are listed with a reason', () => {
    const datagrams = dgram.createSocket('udp4');
    for (const [name, nodes, ours] of [
      ['net.Socket', new net.Socket(), pair.left.createSocket()],
      ['net.Server', new net.Server(), pair.left.createServer()],
      ['dgram.Socket', datagrams, pair.left.createUdpSocket()],
    ] as const) {
      const missing = membersOf(nodes).filter((member) => !membersOf(ours).includes(member));
      const unexplained = missing.filter((member) => !(member in MISSING[name]!));
      assert.deepEqual(unexplained, [], name);
      const stale = Object.keys(MISSING[name]!).filter((member) => membersOf(ours).includes(member));
      assert.deepEqual(stale, [], `${name}: exists`);
    }
    datagrams.close();
  });

  it('throw ENOTSUP where a tunnel has nothing to offer: multicast and broadcast', () => {
    const socket = pair.left.createUdpSocket() as unknown as Record<string, () => void>;
    const members = ['setBroadcast', 'addMembership', 'dropMembership', 'addSourceSpecificMembership'];
    const more = ['dropSourceSpecificMembership', 'setMulticastTTL', 'setMulticastLoopback', 'setMulticastInterface'];
    for (const member of [...members, ...more])
      assert.throws(() => socket[member]!(), { code: 'ENOTSUP', syscall: member });
  });

  it('leave TLS and HTTP no handle to go around the stream', () => {
    const socket = pair.left.createSocket();
    assert.equal(socket instanceof net.Socket, false);
    assert.equal('_handle' in socket, false);
  });
});

/** The names of an object and its classes, up to those of every emitter. */
function membersOf(object: object): string[] {
  const names = new Set<string>();
  for (let at: object | null = object; at !== null && at !== Object.prototype; at = Object.getPrototypeOf(at) as object)
    for (const key of Reflect.ownKeys(at)) if (isName(key)) names.add(String(key));
  return [...names];
}

/** Symbols are private, but for those that every program can name. */
function isName(key: string | symbol): boolean {
  return typeof key === 'string' || key === Symbol.asyncDispose || String(key).startsWith('Symbol(nodejs.rej');
}
