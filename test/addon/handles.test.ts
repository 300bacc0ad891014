import assert from 'node:assert/strict';
import { closeSync, writeSync } from 'node:fs';
import { createServer } from 'node:net';
import { describe, it } from 'node:test';
import { inspect } from 'node:util';
import { Worker } from 'node:worker_threads';

import {
  type Addon,
  type BatchColumns,
  ERROR_COUNTERS,
  MONITOR_ROUTES,
  type NativeBatch,
  type NativeMonitor,
  type NativeTun,
  type NativeUdp,
  TUN_OFFLOAD_TCP,
} from '../../src/addon/interface.js';
import { loadAddon } from '../../src/addon/load.js';
import { PacketBatch } from '../../src/core/packets/packet-batch.js';
import { ENDPOINT_BYTES } from '../../src/wire/endpoint.js';

const EBADF = 9;
/** A virtio-net header of zeros and 20 bytes more. */
const PACKET = new Uint8Array(30);
const COLUMNS = [
  'bytes',
  'offset',
  'length',
  'verdict',
  'keySlot',
  'trafficClass',
  'endpoint',
  'endpointBytes',
] as const satisfies readonly (keyof BatchColumns)[];
/** There is nothing to refuse, and two of them would lock this process. */
const WITHOUT_ARGUMENTS: ReadonlySet<keyof Addon> = new Set([
  'bootTimeMs',
  'netnsCookie',
  'hardenProcess',
  'denySystemCalls',
]);
const addon = loadAddon();

describe('batches of the addon', () => {
  it('refuses columns that are missing, of another type or too short', () => {
    const good = new PacketBatch(4, 1_024);
    assert.ok(addon.registerBatch(good));
    for (const bad of [
      undefined,
      {},
      { ...good, bytes: undefined },
      { ...good, offset: new Int32Array(4) },
      { ...good, length: new Uint32Array(3) },
      { ...good, verdict: new Uint8Array(3) },
      { ...good, keySlot: new Uint32Array(4) },
      { ...good, trafficClass: new Uint8Array(3) },
      { ...good, endpoint: new Int32Array(3) },
      { ...good, endpointBytes: new Uint8Array(4 * ENDPOINT_BYTES - 1) },
    ])
      assert.throws(() => addon.registerBatch(bad as unknown as PacketBatch), /Error/);
  });

  it('takes a batch without rows, for which nothing can be done', () => {
    const { tun, descriptor } = makePair();
    assert.equal(addon.tunWrite(tun, addon.registerBatch(new PacketBatch(0, 0)), 0), 0);
    addon.close(tun);
    closeSync(descriptor);
  });

  it('refuses rows that lie outside of the arena, and more rows than there are', () => {
    const { tun, descriptor } = makePair();
    const udp = makeUdp();
    const columns = new PacketBatch(2, 1_000);
    const batch = addon.registerBatch(columns);
    for (const [offset, length] of [
      [1_000, 1],
      [999, 2],
      [0, 1_001],
      [0xffff_ffff, 1],
      [1, 0xffff_ffff],
      [0x8000_0000, 0x8000_0000],
    ] as const) {
      columns.offset[1] = offset;
      columns.length[1] = length;
      assert.throws(() => addon.tunWrite(tun, batch, 2), RangeError, `${offset}, ${length}`);
      assert.throws(() => addon.udpSend(udp, batch, 0, 2), RangeError, `${offset}, ${length}`);
      columns.verdict[1] = 1;
      assert.equal(addon.tunWrite(tun, batch, 2), 0, 'a row that does not pass is not looked at');
      columns.verdict[1] = 0;
    }
    for (const count of [3, 0xffff_ffff]) assert.throws(() => addon.tunWrite(tun, batch, count), RangeError);
    assert.throws(() => addon.udpSend(udp, batch, 2, 1), RangeError);
    addon.close(udp);
    addon.close(tun);
    closeSync(descriptor);
  });

  it('refuses a row whose endpoint record there is not', () => {
    const udp = makeUdp();
    const columns = new PacketBatch(2, 1_000);
    const batch = addon.registerBatch(columns);
    for (const record of [2, -1, 0x7fff_ffff]) {
      columns.endpoint[0] = record;
      assert.throws(() => addon.udpSend(udp, batch, 0, 1), RangeError);
    }
    addon.close(udp);
  });
});

describe('memory that goes away', () => {
  for (const column of COLUMNS)
    it(`is refused by every function that takes a batch: ${column}, transferred away`, () => {
      const columns = ownBuffers(new PacketBatch(4, 1_024));
      const batch = addon.registerBatch(columns);
      const { tun, descriptor } = makePair();
      const udp = makeUdp();
      const table = addon.aeadCreate(1);
      transferAway(columns[column]);
      for (const use of [
        () => addon.tunRead(tun, batch),
        () => addon.tunWrite(tun, batch, 0),
        () => addon.udpReceive(udp, batch),
        () => addon.udpSend(udp, batch, 0, 4),
        () => addon.aeadSeal(table, batch, 4),
        () => addon.aeadOpen(table, batch, 4),
      ])
        assert.throws(use, RangeError);
      addon.close(udp);
      addon.close(tun);
      closeSync(descriptor);
    });

  it('is refused when it holds the columns of an ordinary batch', () => {
    const columns = new PacketBatch(4, 1_024);
    const batch = addon.registerBatch(columns);
    transferAway(columns.bytes);
    assert.throws(() => addon.aeadSeal(addon.aeadCreate(0), batch, 0), RangeError);
  });

  it('is refused when it holds the counters of a TUN or of sockets, or the refused source', () => {
    const batch = addon.registerBatch(new PacketBatch(4, 1_024));
    const counters = new Uint32Array(ERROR_COUNTERS);
    const [tun, descriptor] = addon.tunPair(0, counters) as [NativeTun, number];
    transferAway(counters);
    assert.throws(() => addon.tunRead(tun, batch), RangeError);
    assert.throws(() => addon.tunWrite(tun, batch, 0), RangeError);
    addon.close(tun);
    closeSync(descriptor);

    for (const which of [0, 1]) {
      const arrays = [new Uint32Array(2 * ERROR_COUNTERS), new Uint8Array(ENDPOINT_BYTES)] as const;
      const udp = addon.udpOpen(0, 0, ...arrays) as NativeUdp;
      transferAway(arrays[which]!);
      assert.throws(() => addon.udpReceive(udp, batch), RangeError);
      assert.throws(() => addon.udpSend(udp, batch, 0, 0), RangeError);
      addon.close(udp);
      assert.equal(addon.udpReceive(udp, batch), -EBADF);
    }
  });

  it('is refused from the start when it is shared, resizable or gone already', () => {
    const good = new PacketBatch(4, 1_024);
    const gone = new Uint8Array(1_024);
    transferAway(gone);
    const Resizable = ArrayBuffer as unknown as new (length: number, options: object) => ArrayBuffer;
    for (const bytes of [
      new Uint8Array(new SharedArrayBuffer(1_024)),
      new Uint8Array(new Resizable(1_024, { maxByteLength: 4_096 })),
      gone,
    ])
      assert.throws(() => addon.registerBatch({ ...columnsOf(good), bytes }), RangeError);
    const shared = new Uint32Array(new SharedArrayBuffer(8 * ERROR_COUNTERS));
    assert.throws(() => addon.tunPair(0, shared), RangeError);
    assert.throws(() => addon.udpOpen(0, 0, shared, new Uint8Array(ENDPOINT_BYTES)), RangeError);
  });
});

describe('handles of the addon', () => {
  it('refuses a handle of another kind, and what is none', () => {
    const batch = addon.registerBatch(new PacketBatch(1, 100));
    const udp = makeUdp();
    for (const wrong of [undefined, null, 1, 'tun', {}, [], batch, udp, addon.aeadCreate(0)]) {
      assert.throws(() => addon.tunRead(wrong as NativeTun, batch), TypeError);
      assert.throws(() => addon.tunName(wrong as NativeTun), TypeError);
      if (wrong !== udp) assert.throws(() => addon.close(wrong as unknown as NativeUdp), TypeError);
      if (wrong !== batch) assert.throws(() => addon.udpReceive(udp, wrong as unknown as NativeBatch), TypeError);
    }
    addon.close(udp);
  });

  it('refuses an external of somebody else without looking behind it', () => {
    const server = createServer().listen(0);
    const { _handle: handle } = server as unknown as { _handle: { _externalStream: NativeTun } };
    const foreign = handle._externalStream;
    assert.equal(inspect(foreign).startsWith('[External'), true);
    assert.throws(() => addon.tunName(foreign), TypeError);
    assert.throws(() => addon.close(foreign), TypeError);
    server.close();
  });

  it('refuses too few arguments and arguments of a wrong type', () => {
    for (const name of Object.keys(addon) as (keyof Addon)[]) {
      if (WITHOUT_ARGUMENTS.has(name)) continue;
      assert.throws(() => (addon[name] as () => void)(), /Error/, name);
      assert.throws(() => (addon[name] as (...args: unknown[]) => void)('x', {}, Symbol('x'), 3n), /Error/, name);
    }
  });

  it('answers EBADF for everything once it is closed, however often', () => {
    const batch = addon.registerBatch(new PacketBatch(1, 100));
    const { tun, descriptor } = makePair();
    const udp = makeUdp();
    const monitor = makeMonitor();
    for (const source of [tun, udp, monitor, tun, udp, monitor]) addon.close(source);
    closeSync(descriptor);

    assert.equal(addon.tunRead(tun, batch), -EBADF);
    assert.equal(addon.tunWrite(tun, batch, 0), -EBADF);
    assert.equal(addon.tunName(tun), -EBADF);
    assert.equal(addon.tunNamespace(tun), -EBADF);
    assert.equal(addon.udpReceive(udp, batch), -EBADF);
    assert.equal(addon.udpSend(udp, batch, 0, 0), -EBADF);
    assert.equal(addon.udpPort(udp), -EBADF);
    assert.equal(addon.udpSetMark(udp, 0), -EBADF);
    assert.equal(addon.monitorRead(monitor, 1), -EBADF);
    assert.equal(addon.monitorRoute(monitor, new Uint8Array(ENDPOINT_BYTES), 0), -EBADF);
    addon.setReading(tun, false);
    addon.setReferenced(udp, true);
    addon.watch(tun, () => assert.fail('closed'));
  });

  it('calls back from the event loop, and never again after it was closed from within', async () => {
    const { tun, descriptor } = makePair();
    let calls = 0;
    await new Promise<void>((resolve) => {
      addon.watch(tun, () => {
        calls++;
        addon.close(tun);
        setTimeout(resolve, 20);
      });
      writeSync(descriptor, PACKET);
    });
    assert.equal(calls, 1);
    closeSync(descriptor);
  });

  it('is silent while reading is off, and announces waiting packets when it is on again', async () => {
    const { tun, descriptor } = makePair();
    let calls = 0;
    addon.watch(tun, () => calls++);
    addon.setReading(tun, false);
    writeSync(descriptor, PACKET);
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.equal(calls, 0);

    addon.setReading(tun, true);
    await new Promise<void>((resolve) => addon.watch(tun, () => resolve()));
    addon.close(tun);
    closeSync(descriptor);
  });

  it('keeps no process alive when it is unreferenced', async () => {
    const { code } = await runWorker(`
      const monitor = addon.monitorOpen(${MONITOR_ROUTES}, -1);
      addon.watch(monitor, () => {});
      addon.setReferenced(monitor, false);
    `);
    assert.equal(code, 0);
  });

  it('lets a worker end while its handles are open and busy', async () => {
    for (const end of ['process.exit(7)', "throw Object.assign(new Error('over'), { expected: true })"]) {
      const { code, error } = await runWorker(`
        const errors = new Uint32Array(${2 * ERROR_COUNTERS});
        for (let i = 0; i < 5; i++) {
          addon.watch(addon.udpOpen(0, 3, errors, new Uint8Array(44)), () => {});
          addon.watch(addon.tunPair(3, errors)[0], () => {});
          addon.aeadInstall(addon.aeadCreate(i % 3), new Uint8Array(32), new Uint8Array(32));
        }
        setImmediate(() => { ${end}; });
      `);
      assert.ok(error === undefined ? code === 7 : code === 1, `${code} ${error}`);
    }
  });

  it('turns what a callback throws into an uncaught exception', async () => {
    const { error } = await runWorker(`
      const errors = new Uint32Array(256);
      const [tun, descriptor] = addon.tunPair(0, errors);
      addon.watch(tun, () => { throw new Error('from the callback'); });
      require('node:fs').writeSync(descriptor, new Uint8Array(30));
    `);
    assert.equal(error?.message, 'from the callback');
  });
});

interface Pair {
  readonly tun: NativeTun;
  readonly descriptor: number;
}

function makePair(): Pair {
  const pair = addon.tunPair(TUN_OFFLOAD_TCP, new Uint32Array(ERROR_COUNTERS));
  assert.ok(typeof pair !== 'number');
  const [tun, descriptor] = pair;
  return { tun, descriptor };
}

function makeUdp(): NativeUdp {
  const udp = addon.udpOpen(0, 0, new Uint32Array(2 * ERROR_COUNTERS), new Uint8Array(ENDPOINT_BYTES));
  assert.ok(typeof udp !== 'number');
  return udp;
}

function makeMonitor(): NativeMonitor {
  const monitor = addon.monitorOpen(MONITOR_ROUTES, -1);
  assert.ok(typeof monitor !== 'number');
  return monitor;
}

function runWorker(body: string): Promise<{ code: number; error: Error | undefined }> {
  const source = `
    const { workerData } = require('node:worker_threads');
    import(workerData).then(({ loadAddon }) => { const addon = loadAddon(); ${body} });
  `;
  const worker = new Worker(source, {
    eval: true,
    workerData: new URL('../../src/addon/load.js', import.meta.url).href,
  });
  return new Promise((resolve) => {
    let error: Error | undefined;
    worker.on('error', (cause) => {
      error = cause;
    });
    worker.on('exit', (code) => resolve({ code, error }));
  });
}

function columnsOf(batch: BatchColumns): BatchColumns {
  return Object.fromEntries(COLUMNS.map((name) => [name, batch[name]])) as unknown as BatchColumns;
}

/** The same columns, each in a buffer of its own. */
function ownBuffers(batch: BatchColumns): BatchColumns {
  return Object.fromEntries(COLUMNS.map((name) => [name, batch[name].slice()])) as unknown as BatchColumns;
}

function transferAway(array: Uint8Array | Uint32Array | Int32Array): void {
  structuredClone(0, { transfer: [array.buffer as ArrayBuffer] });
}
