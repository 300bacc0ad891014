/** Configuration files by chance, for comparing two ways to the same host. The same seed makes the same files. */
import { createHash } from 'node:crypto';

const ADDRESSES = [
  ['10.66.0.2/24'],
  ['10.66.0.2/32', 'fd66::2/128'],
  ['10.66.0.3/24', '10.66.0.2/24'],
  ['10.66.0.2/24, fd66::2/64'],
  ['fd66::3/64', 'fd66::2/64'],
  ['10.66.0.2/24', '10.67.0.2/16'],
];
const ALLOWED_IPS = [
  '0.0.0.0/0',
  '::/0',
  '0.0.0.0/0, ::/0',
  '0.0.0.0/1, 128.0.0.0/1',
  '10.66.0.0/24',
  'fd66::/64, fd99::/48',
  '10.99.0.0/16, 10.98.0.0/16',
  '10.66.0.2/32, 10.0.0.0/8',
  '0.0.0.0/0, 10.99.0.0/16',
];
const ENDPOINTS = ['203.0.113.9:51820', '[2001:db8:c::9]:51820', undefined];

/** A source of numbers that a seed decides. */
export class SeededRandom {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  /** @returns 0 up to, not including, `end`. */
  below(end: number): number {
    this.#state = (Math.imul(this.#state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((this.#state / 2 ** 32) * end);
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!;
  }
}

/** A file that both wg-quick and ours accept. */
export function randomConfig(random: SeededRandom): string {
  const options: readonly (readonly [string, readonly (string | undefined)[]])[] = [
    ['MTU', [undefined, undefined, '1300', '1420']],
    ['Table', [undefined, undefined, undefined, 'off', '1234', '5678']],
    ['FwMark', [undefined, undefined, '0x1234', '51820']],
    ['DNS', [undefined, '10.66.0.1', '10.66.0.9, corp.example']],
  ];
  const lines = ['[Interface]', `PrivateKey = ${keyOf('own')}`, `ListenPort = ${random.pick(['51999', '52000'])}`];
  lines.push(...random.pick(ADDRESSES).map((address) => `Address = ${address}`));
  for (const [key, values] of options) {
    const value = random.pick(values);
    if (value !== undefined) lines.push(`${key} = ${value}`);
  }
  for (const name of ['one', 'two', 'three'].slice(0, 1 + random.below(3))) {
    lines.push('[Peer]', `PublicKey = ${keyOf(name)}`, `AllowedIPs = ${random.pick(ALLOWED_IPS)}`);
    const endpoint = random.pick(ENDPOINTS);
    if (endpoint !== undefined) lines.push(`Endpoint = ${endpoint}`);
    if (random.below(3) === 0) lines.push(`PresharedKey = ${keyOf(random.pick(['a', 'b']))}`);
  }
  return `${lines.join('\n')}\n`;
}

/** Lines as people, editors and accidents write them, in any encoding. */
export function randomLines(random: SeededRandom): Buffer {
  const keys = ['Address', 'dns', 'MTU', 'PostUp', 'PRIVATEKEY', 'Post Up', 'AllowedIPs', 'Table', 'ListenPort', '# x'];
  const blanks = ['', '', ' ', '\t', '  \t ', '\r', '\v', '\f'];
  const values = ['1', 'a b', 'x # y', '= =', '[Peer]', 'B\xfcro', '\0', '\\', '"$x"', ''];
  const headers = ['[Interface]', '[Peer]', '[interface] # x', '[ Interface ]', '[Interface]x', '[INTERFACE]=1'];
  let text = random.below(4) === 0 ? '' : '[Interface]\n';
  for (let i = random.below(14); i > 0; i--) {
    const entry = `${random.pick(keys)}${random.pick(blanks)}${random.pick(['=', '=', '=', '', '#='])}${random.pick(blanks)}${random.pick(values)}`;
    const line = random.below(5) === 0 ? random.pick(headers) : entry;
    text += `${random.pick(blanks)}${line}${random.pick(blanks)}${random.pick(['\n', '\n', '\n', '\r\n', '\n\n', ''])}`;
  }
  return Buffer.from(text, 'latin1');
}

function keyOf(name: string): string {
  return createHash('sha256').update(name).digest('base64');
}
