import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';

import { arbitraryReply, device, peer } from './arbitrary-reply.js';
import { FakeDaemon } from './fake-daemon.js';
import { FIELDS, hasStockWg, type Outcome, type RunOptions, runOurs, runStock, withoutTick } from './run-wg.js';

describe('wg show, byte for byte as the stock wg', { skip: !hasStockWg() && 'needs root and wireguard-tools' }, () => {
  let directory: string;
  let daemon: FakeDaemon;

  before(async () => {
    directory = mkdtempSync(join(tmpdir(), 'wiretype-show-'));
    daemon = await FakeDaemon.start(directory, 'wg0');
  });

  after(async () => {
    await daemon.stop();
    rmSync(directory, { recursive: true });
  });

  it('shows any device for people', async () => {
    await fc.assert(
      fc.asyncProperty(arbitraryReply(nowSeconds()), async (reply) => {
        daemon.answers.get = reply;
        await same(['show', 'wg0']);
      }),
      { numRuns: 60 },
    );
  });

  for (const field of FIELDS) {
    it(`shows the field ${field} of any device, alone and of all devices`, async () => {
      await fc.assert(
        fc.asyncProperty(arbitraryReply(nowSeconds()), async (reply) => {
          daemon.answers.get = reply;
          await same(['show', 'wg0', field]);
          if (field === 'endpoints') await sameButPrefix(['show', 'all', field]);
          else await same(['show', 'all', field]);
        }),
        { numRuns: 12 },
      );
    });
  }

  it('writes any device as a configuration file', async () => {
    await fc.assert(
      fc.asyncProperty(arbitraryReply(nowSeconds()), async (reply) => {
        daemon.answers.get = reply;
        await same(['showconf', 'wg0']);
      }),
      { numRuns: 30 },
    );
  });

  it('colours with WG_COLOR_MODE=always, shows keys with WG_HIDE_KEYS=never, and does not know NO_COLOR', async () => {
    await fc.assert(
      fc.asyncProperty(arbitraryReply(nowSeconds()), async (reply) => {
        daemon.answers.get = reply;
        await same(['show'], { env: { WG_COLOR_MODE: 'always', WG_HIDE_KEYS: 'never', NO_COLOR: '1' } });
      }),
      { numRuns: 20 },
    );
    for (const env of [
      { WG_COLOR_MODE: 'never' },
      { WG_COLOR_MODE: 'auto' },
      { WG_COLOR_MODE: '' },
      { WG_HIDE_KEYS: 'x' },
    ]) {
      await same(['show'], { env });
    }
  });

  for (const [what, bytes] of [
    ['below a KiB', [0, 1, 1_023]],
    ['around the units', [1_024, 1_048_575, 1_048_576, 1_073_741_823, 1_073_741_824, 1_099_511_627_776]],
    ['on a tie of the second decimal', [1_152, 1_280, 1_408, 1_179_648, 1_310_720, 1_216_348_160]],
  ] as const) {
    it(`writes numbers of bytes ${what}`, async () => {
      daemon.answers.get = device(
        ...bytes.map((rx, i) => peer({ rx_bytes: rx, tx_bytes: bytes[bytes.length - 1 - i]! })),
      );
      await same(['show', 'wg0']);
    });
  }

  it('writes the largest numbers that a daemon can say', async () => {
    daemon.answers.get = device(
      peer({ rx_bytes: '18446744073709551615', tx_bytes: '9007199254740993', persistent_keepalive_interval: 65_535 }),
      peer({ last_handshake_time_sec: '9223372036854775807' }),
    );
    await same(['show', 'wg0']);
    await same(['show', 'wg0', 'dump']);
  });

  for (const age of [0, 1, 59, 60, 61, 3_599, 3_600, 3_661, 86_400, 90_061, 31_536_000, 31_626_061, -5]) {
    it(`writes a handshake ${age} seconds ago`, async () => {
      await sameNow((nowS) => device(peer({ last_handshake_time_sec: nowS - age })));
    });
  }

  for (const [what, reply] of [
    ['nothing', ''],
    ['no empty line', 'errno=0\n'],
    ['no errno', '\n'],
    ['no errno behind a device', 'listen_port=5\n\n'],
    ['a line without "="', 'x\n\n'],
    ['a key that is not known', 'x=1\nerrno=0\n\n'],
    ['errno 98', 'errno=98\n\n'],
    ['errno 1', 'errno=1\n\n'],
    ['errno 133', 'errno=133\n\n'],
    ['errno 4095', 'errno=4095\n\n'],
    ['a negative errno', 'errno=-22\n\n'],
    ['an errno that is no number', 'errno=x\n\n'],
    ['two errnos', 'errno=5\nerrno=0\n\n'],
    ['a port above 65535', 'listen_port=65536\nerrno=0\n\n'],
    ['a negative port', 'listen_port=-1\nerrno=0\n\n'],
    ['port 0', 'listen_port=0\nerrno=0\n\n'],
    ['a mark above 32 bits', 'fwmark=4294967296\nerrno=0\n\n'],
    ['a private key of zeros', `private_key=${'0'.repeat(64)}\nerrno=0\n\n`],
    ['a key in capitals', `private_key=${'AB'.repeat(32)}\nerrno=0\n\n`],
    ['a key with a letter too many', `private_key=${'g'.repeat(64)}\nerrno=0\n\n`],
    ['a key that is cut short', `private_key=${'a'.repeat(63)}\nerrno=0\n\n`],
    ['a preshared key of zeros', device(peer({ preshared_key: '0'.repeat(64) }))],
    ['an empty endpoint', device(peer({ endpoint: '' }))],
    ['an endpoint without port', device(peer({ endpoint: '1.2.3.4' }))],
    ['an endpoint in a zone', device(peer({ endpoint: '[fe80::1%lo]:7' }))],
    ['an endpoint in a zone by number', device(peer({ endpoint: '[fe80::1%1]:7' }))],
    ['an endpoint with port 0', device(peer({ endpoint: '1.2.3.4:0' }))],
    ['an IPv4 endpoint written as IPv6', device(peer({ endpoint: '[::ffff:1.2.3.4]:7' }))],
    ['an IPv4-compatible endpoint', device(peer({ endpoint: '[::1.2.3.4]:7' }))],
    ['an allowed IP without length', device(peer({ allowed_ip: '10.0.0.1' }))],
    ['an allowed IP that is too long', device(peer({ allowed_ip: '10.0.0.1/33' }))],
    ['an allowed IP with host bits', device(peer({ allowed_ip: '10.0.0.1/8' }))],
    ['an IPv4-compatible allowed IP', device(peer({ allowed_ip: '::1.2.3.4/128' }))],
    ['a negative handshake time', device(peer({ last_handshake_time_sec: -1 }))],
    ['a handshake time above 63 bits', device(peer({ last_handshake_time_sec: '9223372036854775808' }))],
    ['a counter above 64 bits', device(peer({ rx_bytes: '18446744073709551616', tx_bytes: '9'.repeat(60) }))],
    ['a counter with leading zeros', device(peer({ rx_bytes: `${'0'.repeat(50)}7` }))],
    ['a keepalive above 65535', device(peer({ persistent_keepalive_interval: 65_536 }))],
    ['a preshared key that is cut short', device(peer({ preshared_key: 'a'.repeat(63) }))],
    ['a handshake in nanoseconds only', device(peer({ last_handshake_time_nsec: 5 }))],
    ['a line of the device behind a peer', device(peer({ listen_port: 7 }))],
    ['a line of a peer before any', 'allowed_ip=x\nerrno=0\n\n'],
    ['bytes behind the end', 'errno=0\n\nlisten_port=8\n'],
  ] as const) {
    it(`reads an answer with ${what}`, async () => {
      daemon.answers.get = reply;

      await same(['show', 'wg0']);
      await same(['show', 'wg0', 'dump']);
      await same(['show', 'all']);
      await same(['showconf', 'wg0']);
    });
  }

  for (const argv of [
    ['show', '--help'],
    ['show', '-h'],
    ['show', 'help'],
    ['show', '--help', 'x'],
    ['show', 'wg0', 'dump', 'x'],
    ['show', 'wg0', 'bogus'],
    ['show', 'wg0', 'Dump'],
    ['show', 'wg0', ''],
    ['show', 'wg0', '--help'],
    ['show', 'wg0', '__proto__'],
    ['show', 'all', 'bogus'],
    ['show', 'all', 'all'],
    ['show', 'interfaces'],
    ['show', 'interfaces', 'x'],
    ['show', 'all', 'interfaces'],
    ['show', 'missing'],
    ['show', ''],
    ['show', 'a/b'],
    ['show', '../wg0'],
    ['showconf'],
    ['showconf', 'wg0', 'x'],
    ['showconf', 'missing'],
    ['showconf', '--help'],
    [],
  ]) {
    it(`is called as "wg ${argv.join(' ')}"`, async () => {
      daemon.answers.get = device(peer({}));
      await same(argv);
    });
  }

  it('shows every interface that answers, and says which do not', async () => {
    const others = await Promise.all(['aaa', 'zzz', 'wg1'].map((name) => FakeDaemon.start(directory, name)));
    others[0]!.answers.get = '';
    others[1]!.answers.get = 'errno=13\n\n';
    others[2]!.answers.get = device(peer({ rx_bytes: 1 }));
    writeFileSync(join(directory, 'file.sock'), '');
    daemon.answers.get = device(peer({}), peer({ tx_bytes: 5 }));
    try {
      for (const rest of [[], ['all'], ['all', 'dump'], ['all', 'fwmark'], ['interfaces'], ['file']])
        await same(['show', ...rest]);
      daemon.answers.get = '';
      others[2]!.answers.get = '';
      for (const rest of [[], ['all'], ['all', 'dump']]) await same(['show', ...rest]);
    } finally {
      for (const other of others) await other.stop();
      rmSync(join(directory, 'file.sock'));
    }
  });

  it('removes the socket of a daemon that has died, and says that there is no such interface', async () => {
    for (const argv of [['show', 'dead'], ['show', 'interfaces'], ['show'], ['set', 'dead', 'fwmark', '1']]) {
      const outcomes = [];
      for (const run of [runStock, runOurs]) {
        await (await FakeDaemon.start(directory, 'dead')).die();
        outcomes.push(await run(directory, argv));
        assert.ok(!existsSync(join(directory, 'dead.sock')), argv.join(' '));
      }
      assert.deepEqual(outcomes[1], outcomes[0], argv.join(' '));
    }
  });

  it('shows nothing, with success, where there is no interface', async () => {
    const empty = mkdtempSync(join(tmpdir(), 'wiretype-show-'));
    try {
      for (const argv of [['show'], ['show', 'all', 'dump'], ['show', 'interfaces'], []]) {
        assert.deepEqual(await runOurs(empty, argv), await runStock(empty, argv));
      }
    } finally {
      rmSync(empty, { recursive: true });
    }
  });

  it('writes the name of the interface on every line of "show all endpoints", as 1.0.20260223 does', async () => {
    daemon.answers.get = device(peer({ endpoint: '1.2.3.4:5' }), peer({}));
    const { out } = await runOurs(directory, ['show', 'all', 'endpoints']);
    assert.match(out, /^wg0\t\S+=\t1\.2\.3\.4:5\nwg0\t\S+=\t\(none\)\n$/);
  });

  it('says of a name of more than 15 characters that it is too long, as 1.0.20260223 does', async () => {
    const expected: Outcome = { status: 1, out: '', err: 'Unable to access interface: File name too long\n' };
    assert.deepEqual(await runOurs(directory, ['show', 'sixteen-letters-']), expected);
  });

  async function same(argv: readonly string[], options: RunOptions = {}): Promise<void> {
    const expected = await withoutTick((nowMs) => runStock(directory, argv, { ...options, nowMs }));
    const actual = await runOurs(directory, argv, { ...options, nowMs: expected.nowMs });
    assert.deepEqual(actual, expected.outcome);
  }

  /** 1.0.20210914 writes the interface before the first peer only. */
  async function sameButPrefix(argv: readonly string[]): Promise<void> {
    const [ours, stock] = [await runOurs(directory, argv), await runStock(directory, argv)];
    assert.deepEqual(
      { ...ours, out: ours.out.replaceAll(/^wg0\t/gm, '') },
      { ...stock, out: stock.out.replaceAll(/^wg0\t/gm, '') },
    );
  }

  async function sameNow(reply: (nowS: number) => string): Promise<void> {
    const { outcome, nowMs } = await withoutTick(async (startMs) => {
      daemon.answers.get = reply(Math.floor(startMs / 1_000));
      return await runStock(directory, ['show', 'wg0']);
    });
    assert.deepEqual(await runOurs(directory, ['show', 'wg0'], { nowMs }), outcome);
  }
});

function nowSeconds(): number {
  return Math.floor(Date.now() / 1_000);
}
