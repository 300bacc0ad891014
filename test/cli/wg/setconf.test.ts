import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';

import { device, peer } from './arbitrary-reply.js';
import { FakeDaemon } from './fake-daemon.js';
import { hasStockWg, pipeOf, runOurs, runStock } from './run-wg.js';

const KEY = Buffer.alloc(32, 7).toString('base64');
const OTHER_KEY = Buffer.alloc(32, 8).toString('base64');
const COMMANDS = ['setconf', 'addconf', 'syncconf'] as const;
const NO_RETRY = { env: { WG_ENDPOINT_RESOLUTION_RETRIES: '0' } };

const FILES: Readonly<Record<string, string>> = {
  'no text': '',
  'only white space': '   \n\t\n',
  'only [Interface]': '[Interface]\n',
  'every key': `[Interface]\nPrivateKey = ${KEY}\nListenPort = 5\nFwMark = 0x10\n[Peer]\nPublicKey=${OTHER_KEY}\nPresharedKey=${KEY}\nAllowedIPs = 10.0.0.0/8, fd00::/8\nAllowedIPs=1.2.3.4\nEndpoint=1.2.3.4:5\nPersistentKeepalive=25\n`,
  'a peer without key': '[Peer]\nAllowedIPs=1.2.3.4\n',
  'a second peer without key': `[Peer]\nPublicKey=${KEY}\n[Peer]\nAllowedIPs=1.2.3.4\n`,
  'a line before the first section': 'ListenPort=5\n',
  'an unknown key': '[Interface]\nFoo = 1\n',
  'an unknown section': '[Foo]\n',
  'a key of wg-quick': '[Interface]\nAddress=1.2.3.4\n',
  'a key of the other section': `[Interface]\nPublicKey=${KEY}\n`,
  'a key that goes on': '[Interface]\nListenPortX=5\n',
  'no value': '[Interface]\nListenPort=\n',
  'no private key': '[Interface]\nPrivateKey=\n',
  'no allowed IPs': `[Peer]\nPublicKey=${KEY}\nAllowedIPs=\n`,
  'no endpoint': `[Peer]\nPublicKey=${KEY}\nEndpoint=\n`,
  'no "="': '[Interface]\nListenPort 5\n',
  'no key before "="': '[Interface]\n=5\n',
  'something behind a header': '[Interface]x\n',
  'two headers on a line': '[Interface][Peer]\n',
  'an empty header': '[]\n',
  'line ends of Windows': '[Interface]\r\nListenPort = 5\r\n',
  'a byte order mark': '\ufeff[Interface]\nListenPort=5\n',
  'no line feed at the end': '[Interface]\nListenPort=5',
  'white space everywhere': '[ Inter face ]\nLis ten\tPort\v=\f5\n',
  'no-break space': '[Interface]\nListenPort =\u00a05\n',
  comments: '#x\n[Interface]#y\nListenPort=5#6\n  # z\n',
  'letters of any case': `[INTERFACE]\nlistenport=5\n[pEER]\nPUBLICKEY=${KEY}\nallowedips=1.2.3.4\n`,
  'sections that come again': `[Interface]\nListenPort=5\n[Peer]\nPublicKey=${KEY}\n[Interface]\nFwMark=3\n`,
  'keys that come again': `[Interface]\nListenPort=5\nListenPort=6\n[Peer]\nPublicKey=${KEY}\nPublicKey=${OTHER_KEY}\n`,
  'a peer that comes again': `[Peer]\nPublicKey=${KEY}\nAllowedIPs=1.1.1.1\n[Peer]\nPublicKey=${KEY}\nAllowedIPs=2.2.2.2\n`,
  'zero bytes': '[Interface]\0x\nListenPort=5\0\n',
  'a bad port': '[Interface]\nListenPort=x\n',
  'a port above 65535': '[Interface]\nListenPort=99999\n',
  'a bad mark': '[Interface]\nFwMark=x\n',
  'a bad endpoint': '[Peer]\nEndpoint=x\n',
  'a bad allowed IP': '[Peer]\nAllowedIPs=x\n',
  'a bad public key': `[Peer]\nPublicKey=${KEY}x\n`,
  'a bad keepalive': `[Peer]\nPublicKey=${KEY}\nPersistentKeepalive=x\n`,
  'host bits': `[Peer]\nPublicKey=${KEY}\nAllowedIPs=10.0.0.1/8\n`,
  'a preshared key of zeros': `[Peer]\nPublicKey=${KEY}\nPresharedKey=${Buffer.alloc(32).toString('base64')}\n`,
  'everything off': `[Interface]\nFwMark=off\n[Peer]\nPublicKey=${KEY}\nPersistentKeepalive=OFF\n`,
};

describe('wg setconf, addconf and syncconf, byte for byte as the stock wg', {
  skip: !hasStockWg() && 'needs root and wireguard-tools',
}, () => {
  let directory: string;
  let file: string;
  let daemon: FakeDaemon;

  before(async () => {
    directory = mkdtempSync(join(tmpdir(), 'wiretype-setconf-'));
    file = join(directory, 'wg0.conf');
    daemon = await FakeDaemon.start(directory, 'wg0');
    daemon.answers.get = device(peer({ allowed_ip: '1.0.0.0/8' }), otherPeer('09'), otherPeer('08'));
  });

  after(async () => {
    await daemon.stop();
    rmSync(directory, { recursive: true });
  });

  for (const command of COMMANDS) {
    for (const [what, text] of Object.entries(FILES)) {
      it(`${command} reads a file with ${what}`, async () => {
        writeFileSync(file, text);
        await same([command, 'wg0', file]);
      });
    }

    for (const argv of [
      [],
      ['wg0'],
      ['wg0', 'a', 'b'],
      ['wg0', '/nonexistent'],
      ['wg0', '/tmp'],
      ['wg0', '/dev/null'],
      ['--help'],
    ]) {
      it(`${command} is called with "${argv.join(' ')}"`, async () => await same([command, ...argv]));
    }

    it(`${command} reads a pipe, as the shell makes one of <(wg-quick strip wg0)`, async () => {
      const outcomes = [];
      for (const run of [runStock, runOurs]) {
        const outcome = await run(directory, [command, 'wg0', pipeOf(directory, FILES['every key']!)], NO_RETRY);
        outcomes.push({ ...outcome, requests: daemon.takeRequests() });
      }
      assert.deepEqual(outcomes[1], outcomes[0]);
      assert.equal(outcomes[0]?.status, 0);
    });

    it(`${command} fails for an interface that does not exist`, async () => {
      writeFileSync(file, FILES['every key']!);
      await same([command, 'missing', file]);
    });

    it(`${command} reads any file`, async () => {
      await fc.assert(
        fc.asyncProperty(arbitraryConfig(), async (text) => {
          writeFileSync(file, text);
          await same([command, 'wg0', file]);
        }),
        { numRuns: 60 },
      );
    });
  }

  it('says that the interface cannot be read where syncconf has to read it', async () => {
    const answer = daemon.answers.get;
    daemon.answers.get = 'errno=13\n\n';
    try {
      writeFileSync(file, FILES['every key']!);
      await same(['syncconf', 'wg0', file]);
    } finally {
      daemon.answers.get = answer;
    }
  });

  it('switches off what a peer of the file has lost, as 1.0.20260223 does and 1.0.20210914 does not', async () => {
    const answer = daemon.answers.get;
    daemon.answers.get = device(peer({ preshared_key: '01'.repeat(32), persistent_keepalive_interval: 25 }));
    const text = `[Interface]\nListenPort = 5\n[Peer]\nPublicKey = ${KEY}\nAllowedIPs = 10.0.0.0/8\n`;
    try {
      writeFileSync(file, text);
      await runStock(directory, ['syncconf', 'wg0', file]);
      const [, stock] = daemon.takeRequests();

      await runOurs(directory, ['syncconf', 'wg0', file]);

      const [, ours] = daemon.takeRequests();
      const zeros = `preshared_key=${'0'.repeat(64)}\npersistent_keepalive_interval=0\n`;
      assert.equal(ours, stock?.replace('replace_allowed_ips', `${zeros}replace_allowed_ips`));
    } finally {
      daemon.answers.get = answer;
    }
  });

  for (const line of ['PrivateKey = secret', `PresharedKey = ${KEY}`]) {
    it(`keeps the value of a wrong line "${line.slice(0, 12)}…" out of its message, unlike the stock wg`, async () => {
      writeFileSync(file, `[Interface]\n${line}\n`);
      const secret = line.slice(line.indexOf(' = ') + 3);

      const stock = await runStock(directory, ['setconf', 'wg0', file]);

      const expected = { ...stock, err: stock.err.replace(secret, '(hidden)') };
      assert.deepEqual(await runOurs(directory, ['setconf', 'wg0', file]), expected);
    });
  }

  for (const [said, lines] of [
    ['AllowedIPs = +10.0.0.0/8', 'allowed_ip=10.0.0.0/8\n'],
    ['AllowedIPs = -10.0.0.0/8, fd00::/8', 'allowed_ip=-10.0.0.0/8\nallowed_ip=fd00::/8\n'],
    [
      'AllowedIPs = +10.0.0.0/8\nAllowedIPs = fd00::/8',
      'replace_allowed_ips=true\nallowed_ip=10.0.0.0/8\nallowed_ip=fd00::/8\n',
    ],
  ] as const) {
    it(`reads "${said.replace('\n', '", "')}" as 1.0.20260223 does; 1.0.20210914 refuses it`, async () => {
      writeFileSync(file, `[Peer]\nPublicKey = ${KEY}\n${said}\n`);
      assert.equal((await runStock(directory, ['addconf', 'wg0', file])).status, 1);

      await runOurs(directory, ['addconf', 'wg0', file]);

      assert.deepEqual(daemon.takeRequests(), [`set=1\npublic_key=${'07'.repeat(32)}\n${lines}\n`]);
    });
  }

  async function same(argv: readonly string[]): Promise<void> {
    const stock = await runStock(directory, argv, NO_RETRY);
    const stockRequests = daemon.takeRequests();

    const ours = await runOurs(directory, argv, NO_RETRY);

    assert.deepEqual(
      { ...ours, requests: daemon.takeRequests() },
      { ...stock, err: withoutSecrets(stock.err), requests: stockRequests },
    );
  }
});

/** The stock wg shows a secret key that stands in the wrong section. */
function withoutSecrets(text: string): string {
  return text.replace(/((?:PrivateKey|PresharedKey)=).+'/i, "$1(hidden)'");
}

function otherPeer(byte: string): string {
  return peer({}).replace('07'.repeat(32), byte.repeat(32));
}

/** Lines that make sense, in any order, with some that do not. */
function arbitraryConfig(): fc.Arbitrary<string> {
  const line = fc.oneof(
    fc.constantFrom('[Interface]', '[Peer]', '# comment', '', `PublicKey = ${KEY}`, `PublicKey=${OTHER_KEY}`),
    fc.constantFrom('ListenPort = 51820', 'FwMark = 0xca6c', `PrivateKey = ${KEY}`, `PresharedKey = ${OTHER_KEY}`),
    fc.constantFrom('AllowedIPs = 10.0.0.0/8, fd00::/8', 'AllowedIPs = 10.0.0.1/24', 'Endpoint = [fd00::1]:5'),
    fc.constantFrom('PersistentKeepalive = 25', 'PersistentKeepalive = off', 'Endpoint = 1.2.3.4:5 # x'),
  );
  const section = fc
    .tuple(
      fc.constantFrom('[Interface]', `[Peer]\nPublicKey = ${KEY}`, `[Peer]\nPublicKey = ${OTHER_KEY}`),
      fc.array(line, { maxLength: 4 }),
    )
    .map(([header, lines]) => [header, ...lines].join('\n'));
  return fc.oneof(
    { weight: 3, arbitrary: fc.array(section, { maxLength: 4 }).map((sections) => sections.join('\n')) },
    {
      weight: 1,
      arbitrary: fc
        .array(fc.oneof(line, fc.string({ unit: 'grapheme', maxLength: 20 })), { maxLength: 6 })
        .map((lines) => lines.join('\n')),
    },
  );
}
