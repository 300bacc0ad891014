import fc from 'fast-check';

const KEYS = [
  'ListenPort',
  'PrivateKey',
  'FwMark',
  'Address',
  'DNS',
  'MTU',
  'Table',
  'PostUp',
  'SaveConfig',
  'PublicKey',
];
const MORE_KEYS = ['PresharedKey', 'AllowedIPs', 'Endpoint', 'PersistentKeepalive', 'Foo', 'listen port', ''];
const VALUES = [
  '51820',
  '99999',
  'off',
  Buffer.alloc(32, 7).toString('base64'),
  '10.0.0.0/8, fd00::/8',
  'a:5',
  'x # y',
  '',
];

/** Texts that look like a configuration file, with everything that people and editors do to one. */
export function arbitraryText(): fc.Arbitrary<string> {
  const space = fc.constantFrom('', ' ', '  ', '\t', ' \t');
  const end = fc.constantFrom('\n', '\n', '\r\n', '\n\n');
  const entry = fc
    .tuple(
      space,
      fc.constantFrom(...KEYS, ...MORE_KEYS),
      space,
      fc.constantFrom('=', '=', ''),
      space,
      fc.constantFrom(...VALUES),
    )
    .map((parts) => parts.join(''));
  const header = fc.constantFrom('[Interface]', '[Peer]', '[peer] # x', ' [ Peer ]', '[Foo]', '[Peer', '[]');
  const comment = fc.constantFrom('#', '# note', '# Name = x', '  # AllowedIPs = 1.2.3.4', '; x');
  const line = fc.oneof(entry, entry, header, comment, fc.string({ unit: 'binary', maxLength: 12 }));
  return fc
    .tuple(
      fc.constantFrom('', '', '\ufeff'),
      fc.array(fc.tuple(line, end).map((parts) => parts.join(''))),
      fc.oneof(fc.constant(''), line),
    )
    .map(([mark, lines, last]) => mark + lines.join('') + last);
}
