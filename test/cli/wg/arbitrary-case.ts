/** Generated calls of `wg`: command lines, files and answers that are nearly right, or nearly wrong. */
import fc from 'fast-check';
import { arbitraryReply } from './arbitrary-reply.js';

export interface WgCase {
  readonly argv: readonly string[];
  /** The content of the file `conf`, which `argv` may contain. */
  readonly conf: string;
  readonly get: string;
  readonly set: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Stands for the folder that the files are in. */
export const FOLDER = '@';

const KEYS = [1, 2, 3].map((byte) => Buffer.alloc(32, byte).toString('base64'));

const VALUES = {
  port: ['0', '51820', '65536', '99999', '4294967295', '-80', '+80', ' 80', '0x50', '', 'domain', 'nosuch', '80a', '*'],
  mark: ['off', 'OFF', '0', '0xca6c', '0XCA6C', '0x', '010', '4294967296', '-1', '1x', ''],
  keepalive: ['off', 'Off', '0', '25', '65536', '-1', '025', '0x19', '', '25 '],
  key: [...KEYS, KEYS[0]!.slice(1), `${KEYS[0]}=`, `${KEYS[0]!.slice(0, 42)}B=`, 'x'.repeat(44), ''],
  keyFile: ['good', 'line', 'windows', 'empty', 'short', 'long', 'trailing', 'missing', ''].map((n) => `${FOLDER}${n}`),
  allowedIps: [
    '10.0.0.0/24',
    '10.0.0.1/24',
    '10.0.0.1',
    '10.0.0.0/33',
    '10.0.0.0/08',
    '10.0.0.0/8/8',
    '10/8',
    '::/0',
    '2001:DB8::A/128',
    '::ffff:1.2.3.4/128',
    '1:2:3:4:5:6:7::/112',
    '::/129',
    '[::1]/128',
    'fe80::1%lo/64',
    '1.2.3.4/',
    '1.2.3.4, 5.6.7.8',
    '1.2.3.4,,5.6.7.8',
    '1.2.3.4,',
    '',
    'a.b.c.d',
  ],
  host: [
    '192.0.2.1',
    '[2001:db8::1]',
    '2001:db8::1',
    '[fe80::1%lo]',
    '[::ffff:1.2.3.4]',
    '10.1',
    '0x7f.1',
    '017.1',
    '*',
    '[',
    '[]',
    '[::1',
    '1.2.3.4.5',
    'x'.repeat(300),
    '１０.0.0.1',
    '10。0。0。1',
    'bücher.invalid',
    '',
  ],
};

/** Characters that readers get wrong: white space of other scripts, the Kelvin sign, a byte order mark. */
const ODD_CHARACTERS = [...' \t\r\v=#,:/[]%+0xX', '\u00a0', '\u212a', '\ufeff', 'é', '\u0001'];

const of = (...values: readonly string[]) => fc.constantFrom(...values);

const endpoint = fc
  .tuple(of(...VALUES.host), of(':', ':', ':', '', '::'), of(...VALUES.port))
  .map((parts) => parts.join(''));

/** Words for `wg set`, and lines of a file, with their values. */
const INTERFACE_WORDS = [
  ['listen-port', 'ListenPort', of(...VALUES.port)],
  ['fwmark', 'FwMark', of(...VALUES.mark)],
] as const;
const PEER_WORDS = [
  ['endpoint', 'Endpoint', endpoint],
  ['allowed-ips', 'AllowedIPs', of(...VALUES.allowedIps)],
  ['persistent-keepalive', 'PersistentKeepalive', of(...VALUES.keepalive)],
] as const;

const interfaceWords = fc.oneof(
  ...INTERFACE_WORDS.map(([word, , value]) => value.map((text) => [word, text])),
  of(...VALUES.keyFile).map((path) => ['private-key', path]),
);
const peerWords = fc.oneof(
  ...PEER_WORDS.map(([word, , value]) => value.map((text) => [word, text])),
  of(...VALUES.keyFile).map((path) => ['preshared-key', path]),
  fc.constant(['remove']),
);
const peerBlock = fc
  .tuple(of(...VALUES.key), fc.array(peerWords, { maxLength: 3 }))
  .map(([key, words]) => ['peer', key, ...words.flat()]);

const setWords = fc
  .tuple(fc.array(interfaceWords, { maxLength: 2 }), fc.array(peerBlock, { maxLength: 2 }), fc.nat({ max: 9 }))
  .map(([device, peers, cut]) => {
    const words = [...device, ...peers].flat();
    return cut === 0 ? words.slice(0, -1) : words;
  });

const interfaceLine = fc.oneof(
  ...INTERFACE_WORDS.map(([, key, value]) => value.map((text) => `${key} = ${text}`)),
  of(...VALUES.key).map((key) => `PrivateKey = ${key}`),
);
const peerLine = fc.oneof(
  ...PEER_WORDS.map(([, key, value]) => value.map((text) => `${key} = ${text}`)),
  of(...VALUES.key).map((key) => `PresharedKey=${key}`),
);
const conf = fc
  .tuple(
    fc.array(interfaceLine, { maxLength: 3 }),
    fc.array(fc.tuple(of(...VALUES.key), fc.array(peerLine, { maxLength: 3 })), { maxLength: 2 }),
  )
  .map(([device, peers]) =>
    ['[Interface]', ...device, ...peers.flatMap(([key, lines]) => ['[Peer]', `PublicKey = ${key}`, ...lines]), ''].join(
      '\n',
    ),
  );

/** Puts odd characters into a text, at most two. */
function spoilt(text: fc.Arbitrary<string>): fc.Arbitrary<string> {
  const edit = fc.tuple(fc.nat({ max: 1_000 }), of(...ODD_CHARACTERS));
  return fc.tuple(text, fc.array(edit, { maxLength: 2 })).map(([whole, edits]) =>
    edits.reduce((changed, [place, character]) => {
      const at = place % (changed.length + 1);
      return `${changed.slice(0, at)}${character}${changed.slice(at)}`;
    }, whole),
  );
}

const setReply = of(
  'errno=0\n\n',
  'errno=0\n\n',
  'errno=-22\n\n',
  'errno=98\n\n',
  'errno=-0\n\n',
  'errno=-2147483648\n\n',
  'errno=x\n\n',
  'errno=0\n',
  'x\n\n',
  'errno=0\0\n\n',
  'future=1\nerrno=0\n\n',
);

const ENVIRONMENTS = [{}, {}, { WG_COLOR_MODE: 'always' }, { WG_HIDE_KEYS: 'never' }];
const RETRIES = ['0', '0', '0', '+0', '-0', '', 'x', '99999999999999999999'];

/** @param nowSeconds Since 1970. */
export function arbitraryCase(nowSeconds: number): fc.Arbitrary<WgCase> {
  const argv = fc.oneof(
    setWords.map((words) => ['set', 'wg0', ...words]),
    of('setconf', 'addconf').map((command) => [command, 'wg0', `${FOLDER}conf`]),
    of('private-key', 'listen-port', 'fwmark', 'allowed-ips', 'endpoints', 'dump', 'nosuch').map((field) => [
      'show',
      'wg0',
      field,
    ]),
    of('show', 'showconf').map((command) => [command, 'wg0']),
  );
  const env = fc.tuple(fc.constantFrom(...ENVIRONMENTS), of(...RETRIES)).map(([variables, retries]) => ({
    ...variables,
    WG_ENDPOINT_RESOLUTION_RETRIES: retries,
  }));
  return fc.record({ argv, conf: spoilt(conf), get: arbitraryReply(nowSeconds), set: setReply, env });
}
