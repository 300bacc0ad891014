import { lowerAscii } from './c-text.js';
import { newPeerChange } from './set-arguments.js';
import type { ValueReader } from './value-reader.js';
import type { WgChange, WgPeerChange } from './wg-change.js';
import { WgFailure } from './wg-context.js';

const WHITE_SPACE = /[ \t-\r]+/g;
const KEY_BYTES = 32;
/** A key that stands where no secret is expected: on the wrong line, or behind a mistyped name. */
const KEY_LIKE = /[A-Za-z0-9+/]{43}=/g;

type Section = 'none' | 'interface' | 'peer';

/**
 * Reads a configuration file line by line as `wg` does: white space has no meaning anywhere, and the first
 * unrecognized line ends the reading. `wiretype/config` is the more helpful reader.
 *
 * @throws {WgFailure} The caller clears the keys that `change` holds by then.
 */
export async function readStockConfig(values: ValueReader, lines: Iterable<string>, change: WgChange): Promise<void> {
  const keyed = new Set<WgPeerChange>();
  let section: Section = 'none';
  for (const line of lines) {
    const said = line.replace(/[\0#].*/s, '').replace(WHITE_SPACE, '');
    if (said === '') continue;
    const header = lowerAscii(said);
    if (header === '[interface]') {
      section = 'interface';
    } else if (header === '[peer]') {
      section = 'peer';
      change.peers.push({ ...newPeerChange(new Uint8Array(KEY_BYTES)), replaceAllowedIps: true });
    } else {
      await readStockLine(values, change, section, said, keyed);
    }
  }
  if (change.peers.some((peer) => !keyed.has(peer))) {
    throw new WgFailure('A peer is missing a public key\nInvalid configuration');
  }
}

async function readStockLine(
  values: ValueReader,
  change: WgChange,
  section: Section,
  line: string,
  keyed: Set<WgPeerChange>,
): Promise<void> {
  const equals = line.indexOf('=');
  const key = lowerAscii(line.slice(0, Math.max(equals, 0)));
  const value = line.slice(equals + 1);
  try {
    const peer = section === 'peer' ? change.peers.at(-1) : undefined;
    if (value !== '' && section === 'interface' && readInterfaceLine(values, change, key, value)) return;
    if (value === '' || peer === undefined || !(await readPeerLine(values, peer, key, value))) {
      throw new WgFailure(`Line unrecognized: \`${hideSecret(key, line)}'`);
    }
    if (key === 'publickey') keyed.add(peer);
  } catch (error) {
    if (!(error instanceof WgFailure) || error.isWhole) throw error;
    const message = key === 'publickey' ? error.message : error.message.replace(KEY_LIKE, '(hidden)');
    throw new WgFailure(`${message}\nConfiguration parsing error`);
  }
}

function readInterfaceLine(values: ValueReader, change: WgChange, key: string, value: string): boolean {
  if (key === 'listenport') change.listenPort = values.port(value);
  else if (key === 'fwmark') change.fwmark = values.fwmark(value);
  else if (key === 'privatekey') change.privateKey = values.secretKey(value);
  else return false;
  return true;
}

async function readPeerLine(values: ValueReader, peer: WgPeerChange, key: string, value: string): Promise<boolean> {
  if (key === 'endpoint') peer.endpoint = await values.endpoint(value);
  else if (key === 'publickey') peer.publicKey = values.publicKey(value);
  else if (key === 'allowedips') values.addAllowedIps(peer, value);
  else if (key === 'persistentkeepalive') peer.persistentKeepaliveSeconds = values.keepalive(value);
  else if (key === 'presharedkey') peer.presharedKey = values.secretKey(value);
  else return false;
  return true;
}

/** Hides a secret key, even one that stands in the wrong section. */
function hideSecret(key: string, line: string): string {
  const isSecret = key === 'privatekey' || key === 'presharedkey';
  const head = line.slice(0, key.length + 1);
  return isSecret && line !== head ? `${head}(hidden)` : line;
}
