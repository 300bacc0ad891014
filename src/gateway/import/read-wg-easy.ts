import * as v from 'valibot';

import { parseKey } from '../../control/key-text.js';
import { WireGuardError } from '../../core/errors.js';
import type { ImportedGateway, ImportedPeer } from './imported-gateway.js';

/** wg-easy keeps no length of its network: its template says 24. */
const NETWORK_LENGTH = 24;

const Client = v.looseObject({
  name: v.string(),
  address: v.string(),
  publicKey: v.string(),
  preSharedKey: v.optional(v.nullable(v.string())),
  createdAt: v.optional(v.nullable(v.string())),
  expiredAt: v.optional(v.nullable(v.string())),
  enabled: v.optional(v.boolean(), true),
});

const File = v.looseObject({
  server: v.looseObject({ privateKey: v.string(), address: v.string() }),
  clients: v.record(v.string(), Client),
});

/** Members of a client that mean nothing to a gateway, or that it never keeps. */
const EXPECTED = new Set([
  'id',
  'privateKey',
  'updatedAt',
  'oneTimeLink',
  'oneTimeLinkExpiresAt',
  ...Object.keys(Client.entries),
]);

/** Tests whether a text may be the `wg0.json` of wg-easy, versions up to 14. */
export function isWgEasy(text: string): boolean {
  return text.trimStart().startsWith('{');
}

/**
 * Reads the `wg0.json` of wg-easy. Private keys of clients are in it, and are not read.
 *
 * @throws {WireGuardError} ERR_IMPORT names the member that is wrong, and never a key.
 */
export function readWgEasy(text: string, fileName: string): ImportedGateway {
  const result = v.safeParse(File, parseJson(text, fileName));
  if (!result.success) {
    const [issue] = result.issues;
    throw new WireGuardError(
      'ERR_IMPORT',
      `${fileName}: ${v.getDotPath(issue) ?? 'file'}: ${issue.expected ?? 'another value'} is expected`,
    );
  }
  const { server, clients } = result.output;
  return {
    privateKey: parseKey(server.privateKey, `${fileName}: server.privateKey`),
    networks: [`${server.address}/${NETWORK_LENGTH}`],
    peers: Object.values(clients).map(readClient),
    leftOut: Object.entries(clients).flatMap(([id, client]) =>
      Object.keys(client)
        .filter((name) => !EXPECTED.has(name))
        .map((name) => `${fileName}: clients.${id}.${name} is not known`),
    ),
  };
}

function readClient({
  name,
  address,
  publicKey,
  preSharedKey,
  createdAt,
  expiredAt,
  enabled,
}: v.InferOutput<typeof Client>): ImportedPeer {
  const [createdAtUnixMs, expiresAtUnixMs] = [createdAt, expiredAt].map(readTime);
  return {
    name,
    publicKey,
    addresses: [address],
    isBlocked: !enabled,
    ...(typeof preSharedKey === 'string' && preSharedKey !== '' ? { presharedKey: preSharedKey } : {}),
    ...(createdAtUnixMs === undefined ? {} : { createdAtUnixMs }),
    ...(expiresAtUnixMs === undefined ? {} : { expiresAtUnixMs }),
  };
}

function readTime(text: string | null | undefined): number | undefined {
  const time = Date.parse(text ?? '');
  return Number.isNaN(time) ? undefined : time;
}

function parseJson(text: string, fileName: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new WireGuardError('ERR_IMPORT', `${fileName}: it is not JSON`);
  }
}
