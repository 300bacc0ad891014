import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { formatProblem, parseConfig } from '../../../src/control/config/index.js';
import { WireGuardError } from '../../../src/core/errors.js';
import { arbitraryText } from './arbitrary-text.js';

const KEY = Buffer.alloc(32, 7).toString('base64');

describe('problems of a configuration file', () => {
  for (const [line, message, advice] of [
    ['ListenPort = 99999', 'ListenPort: a port is a number from 0 (any free port) to 65535'],
    ['ListenPort = -1', 'ListenPort: a port is a number from 0 (any free port) to 65535'],
    ['ListenPort =', 'ListenPort: a port is a number from 0 (any free port) to 65535'],
    ['ListenPort 51820', '"=" is missing behind ListenPort'],
    ['ListenPrt = 51820', 'unknown key "ListenPrt"', 'Did you mean ListenPort?'],
    ['Port = 51820', 'unknown key "Port"'],
    ['Adress = 10.0.0.1', 'unknown key "Adress"', 'Did you mean Address?'],
    ['Endpoint = a:5', 'Endpoint: it belongs into [Peer], not here'],
    ['FwMark = 0x1ffffffff', 'FwMark: a mark is "off", a number, or 0x and up to eight hexadecimal digits'],
    ['PrivateKey = abc', 'PrivateKey: not a key: it has 3 characters, a key has 44'],
    [`PrivateKey = ${KEY.slice(0, 43)}x`, 'PrivateKey: not a key: it does not end with "="'],
    [
      `PrivateKey = ${KEY.slice(0, 42)}d=`,
      'PrivateKey: not a key: its last character before "=" is not one that 32 bytes can end with: it was cut or mistyped',
    ],
    [
      `PrivateKey = ${KEY.slice(0, 20)}!${KEY.slice(21)}`,
      'PrivateKey: not a key: it has characters that base64 has not',
    ],
    ['PrivateKey =', 'PrivateKey: not a key: it is empty'],
    ['Address = 10.0.0.300/24', 'Address: "10.0.0.300" is not an IPv4 or IPv6 address'],
    ['Address = 10.0.0.1/33', 'Address: "/33" is not a prefix length: IPv4 has 0 to 32'],
    ['Address = fd00::1/129', 'Address: "/129" is not a prefix length: IPv6 has 0 to 128'],
    ['Address = 10.0.0.1/255.0.255.0', 'Address: "/255.0.255.0" is not a prefix length: IPv4 has 0 to 32'],
    ['Address = fd00::1/255.255.255.0', 'Address: "/255.255.255.0" is not a prefix length: IPv6 has 0 to 128'],
    ['Address = 10.1/16', 'Address: "10.1" is not an IPv4 or IPv6 address'],
    ['Address = 010.0.0.1/8', 'Address: "010.0.0.1" is not an IPv4 or IPv6 address'],
    ['DNS = 1.1.1', 'DNS: not an address of a name server'],
    ['MTU = 70000', 'MTU: an MTU is a number of bytes from 68 to 65535'],
    ['Table = a b', 'Table: a table is "off", "auto", a number or a name'],
    ['SaveConfig = yes', 'SaveConfig: neither "true" nor "false"'],
    ['; comment', 'this line is not understood', 'Comments start with "#".'],
    ['[Pear]', 'there is no section "Pear"', 'Sections are [Interface] and [Peer].'],
    [
      'ListenPort = 5\u00a0',
      'ListenPort: a port is a number from 0 (any free port) to 65535',
      'It contains the character U+00A0, which may look like another one.',
    ],
  ] as const) {
    it(`says of "${line}": ${message}`, () => {
      const [problem] = parseConfig(`[Interface]\n${line}\n`, 'wg0.conf').problems;

      assert.deepEqual(
        { message: problem?.message, advice: problem?.advice, line: problem?.line, severity: problem?.severity },
        { message, advice, line: 2, severity: 'error' },
      );
    });
  }

  for (const [line, message] of [
    ['AllowedIPs = 10.0.0.0/8, x', 'AllowedIPs: "x" is not an IPv4 or IPv6 address'],
    ['AllowedIPs = 10.0.0.0/8,', 'AllowedIPs: an item of the list is empty'],
    ['AllowedIPs = 10.0.0.0/255.0.0.0', 'AllowedIPs: "/255.0.0.0" is not a prefix length: IPv4 has 0 to 32'],
    ['AllowedIPs =', 'AllowedIPs: the list is empty: leave the line out'],
    ['Endpoint = example.net', 'Endpoint: the port is missing: an endpoint is HOST:PORT or [IPV6]:PORT'],
    ['Endpoint = [fd00::1]', 'Endpoint: the port is missing: an endpoint is HOST:PORT or [IPV6]:PORT'],
    ['Endpoint = fd00::1:51820', 'Endpoint: the host is not an IPv6 address in brackets, as in [2001:db8::1]:51820'],
    ['Endpoint = :51820', 'Endpoint: the host is missing: an endpoint is HOST:PORT or [IPV6]:PORT'],
    ['Endpoint = a b!:5', 'Endpoint: the host is neither a name nor an address'],
    ['Endpoint = a:0', 'Endpoint: the port is not a number from 1 to 65535'],
    ['Endpoint = a:99999', 'Endpoint: the port is not a number from 1 to 65535'],
    ['PersistentKeepalive = 99999', 'PersistentKeepalive: seconds are "off" or a number from 0 to 65535'],
    ['PrivateKey = x', 'it belongs into [Interface], not here'],
  ] as const) {
    it(`says of "${line}" of a peer: ${message}`, () => {
      const text = `[Peer]\nPublicKey = ${KEY}\n${line}\n`;
      const problem = parseConfig(text, 'wg0.conf').problems.find(({ severity }) => severity === 'error');
      assert.equal(problem?.message.replace(/^PrivateKey: /, ''), message);
    });
  }

  it('shows the line, and points at the place', () => {
    const [problem] = parseConfig(
      '[Interface]\n\tAddress = 10.0.0.1/24, 10.0.0.x/8 # home\n',
      '/etc/wireguard/wg0.conf',
    ).problems;

    assert.equal(
      formatProblem(problem!, '/etc/wireguard/wg0.conf'),
      [
        '/etc/wireguard/wg0.conf:2:25: Address: "10.0.0.x" is not an IPv4 or IPv6 address',
        '    2 |  Address = 10.0.0.1/24, 10.0.0.x/8 # home',
        '      |                         ^^^^^^^^^^',
        '',
      ].join('\n'),
    );
  });

  it('throws all errors at once, in order', () => {
    const text = `[Interface]\nListenPort = x\nMTU = x\n[Peer]\nAllowedIPs = x\n`;
    const document = parseConfig(text, 'wg0.conf');

    assert.throws(
      () => document.assertValid(),
      (error) => {
        assert.ok(error instanceof WireGuardError);
        assert.equal(error.code, 'ERR_CONFIG');
        const places = [...error.message.matchAll(/^wg0\.conf:(\d+):(\d+)/gm)].map(([, line, column]) => [
          Number(line),
          Number(column),
        ]);
        assert.deepEqual(places, [
          [2, 14],
          [3, 7],
          [4, 1],
          [5, 14],
        ]);
        return true;
      },
    );
  });

  it('throws from a getter what is wrong with that line', () => {
    const document = parseConfig('# x\n[Interface]\nListenPort = 99999\n', 'wg0.conf');
    assert.throws(() => document.interfaceSection!.listenPort, {
      code: 'ERR_CONFIG',
      message: /^wg0\.conf:3:14: ListenPort/,
    });
  });

  for (const [what, text, line] of [
    ['a key that comes again', '[Interface]\nMTU = 1400\nMTU = 1401\n', 3],
    ['an MTU that IPv6 cannot use', '[Interface]\nMTU = 1000\n', 2],
    ['host bits', `[Peer]\nPublicKey = ${KEY}\nAllowedIPs = 10.0.0.1/24\n`, 3],
    ['a peer that comes again', `[Peer]\nPublicKey = ${KEY}\n[Peer]\nPublicKey = ${KEY}\n`, 4],
    ['an empty command', '[Interface]\nPostUp =\n', 2],
    ['a comma behind the last address', '[Interface]\nAddress = 10.0.0.1/24,\n', 2],
    ['two commas between name servers', '[Interface]\nDNS = 1.1.1.1,, example.net\n', 2],
    ['an MTU that is not said', '[Interface]\nMTU =\n', 2],
    ['a table that is not said', '[Interface]\nTable = # later\n', 2],
  ] as const) {
    it(`warns of ${what}, and lets it pass`, () => {
      const document = parseConfig(text, 'wg0.conf');

      document.assertValid();
      assert.deepEqual(
        document.problems.map((problem) => [problem.severity, problem.line]),
        [['warning', line]],
      );
    });
  }

  for (const text of [
    `[Interface]\nPrivateKey = ${KEY}x\n`,
    `[Interface]\nPrivatKey = ${KEY}\n`,
    `[Interface]\n${KEY}\n`,
    `[Interface]\nPrivateKey ${KEY}\n`,
    `[Peer]\nPrivateKey = ${KEY}\n`,
    `[Peer]\nPresharedKey = ${KEY.slice(1)}\n`,
    `[Peer]\nAllowedIPs = ${KEY}\n`,
    `[Interface]\nListenPort = ${KEY}\n`,
    `PresharedKey = ${KEY}\n`,
    `[${KEY}]\n`,
  ]) {
    it(`never shows a secret key: ${text.replace(KEY, 'KEY').replaceAll('\n', ' ').slice(0, 40)}`, () => {
      const { problems } = parseConfig(text, 'wg0.conf');

      const shown = problems.map((problem) => formatProblem(problem, 'wg0.conf')).join('');
      assert.notEqual(shown, '');
      assert.ok(!shown.includes(KEY.slice(4, 16)), shown);
    });
  }

  it('does not show a secret that is too short to be a key either', () => {
    const { problems } = parseConfig('[Interface]\nPrivateKey = hunter2\n', 'wg0.conf');
    assert.equal(problems[0]!.shownLine, 'PrivateKey = (hidden)');
  });

  it('counts the comments above a section', () => {
    const { problems } = parseConfig(`[Interface]\n\n# Anna\n# (home)\n[Peer]\nPublicKey = x\n`, 'wg0.conf');
    assert.deepEqual(
      problems.map(({ line }) => line),
      [6],
    );
  });

  it('places every problem on a line that exists, for any text', () => {
    fc.assert(
      fc.property(arbitraryText(), (text) => {
        const lines = text.split('\n').length;
        for (const problem of parseConfig(text, 'wg0.conf').problems) {
          assert.ok(problem.line >= 1 && problem.line <= lines && problem.column >= 1 && problem.length >= 1);
          const shown = formatProblem(problem, 'wg0.conf');
          assert.match(shown, /^wg0\.conf:\d+:\d+: .+\n {4}\d+ \|.*\n {4} +\| +\^+\n(?: {7,}.+\n)?$/u);
        }
      }),
      { numRuns: 1_000 },
    );
  });
});
