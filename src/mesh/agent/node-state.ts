import { chmodSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';

import { replaceFile } from '../../control/config/replace-file.js';
import { WireGuardError } from '../../core/errors.js';
import { HubInfo, MapEntry } from '../map/messages.js';
import { RuleText } from '../map/rule-text.js';
import type {} from '../mesh-errors.js';

const FILE = 'node.json';
const PRIVATE_MODE = 0o600;
const Key = v.pipe(v.string(), v.regex(/^[A-Za-z0-9+/]{43}=$/));
const Count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

const NodeStateSchema = v.strictObject({
  version: v.literal(1),
  id: v.pipe(v.string(), v.regex(/^[0-9a-f]{12}$/)),
  name: v.string(),
  addresses: v.array(v.string()),
  network: v.string(),
  /** 16 bytes, base64. */
  networkId: v.string(),
  /** The key that signs records, as the invitation said. */
  signingKey: Key,
  mode: v.picklist(['auto', 'locked']),
  hub: HubInfo,
  /** X25519, base64. */
  privateKey: Key,
  keySeq: Count,
  /** The key that comes next, once peers know it. */
  next: v.optional(v.strictObject({ privateKey: Key, keySeq: Count })),
  keyMadeUnixMs: Count,
  /** No handshake was stamped with a later time when this was written. */
  stampUnixMs: v.optional(Count),
  /** Ed25519, PKCS #8 in PEM. */
  identity: v.string(),
  /** UDP port; 0: any. The same port again keeps mappings of NATs alive. */
  listenPort: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(65_535)),
  routes: v.array(v.string()),
  self: v.optional(MapEntry),
  /** The last good map. */
  map: v.strictObject({ rev: v.optional(Count), entries: v.array(MapEntry), rules: v.array(RuleText) }),
  /** Highest numbers of records seen, by node: what is older is refused. */
  seen: v.record(v.string(), v.strictObject({ serial: Count, keySeq: Count })),
});

/** Everything that an agent keeps: it starts from this, and runs without the hub. */
export type NodeState = v.InferOutput<typeof NodeStateSchema>;

/** Whether a folder is that of a node that has joined. */
export function hasNodeState(folder: string): boolean {
  return existsSync(join(folder, FILE));
}

/**
 * Reads the state of a node. A map that is damaged costs nothing but the nodes until the hub is there: it is left out.
 *
 * @param onDamage Takes a sentence about a map that was left out.
 * @throws {WireGuardError} ERR_NODE_STATE, without the content, which is secret.
 */
export function readNodeState(folder: string, onDamage: (sentence: string) => void = () => {}): NodeState {
  const path = join(folder, FILE);
  let parsed: unknown;
  try {
    parsed = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    const reason = error instanceof SyntaxError ? 'it is cut off or was edited' : (error as Error).message;
    throw new WireGuardError('ERR_NODE_STATE', `${path}: ${reason}`);
  }
  const result = v.safeParse(NodeStateSchema, parsed);
  if (result.success) return result.output;
  const withoutMap = v.safeParse(NodeStateSchema, { ...(parsed as object), map: { entries: [], rules: [] } });
  if (withoutMap.success) {
    onDamage(`${path}: the map is damaged, and is asked for anew`);
    return withoutMap.output;
  }
  throw new WireGuardError('ERR_NODE_STATE', `${path}: ${v.getDotPath(result.issues[0]) ?? 'the whole file'} is wrong`);
}

/** Writes the file anew, mode 0600: whenever the process dies, there is the old file or the new one. */
export async function writeNodeState(folder: string, state: NodeState): Promise<void> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, FILE);
  await replaceFile(path, Buffer.from(`${JSON.stringify(state)}\n`), { mode: PRIVATE_MODE });
  chmodSync(path, PRIVATE_MODE);
}
