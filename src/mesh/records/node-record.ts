import { parseIpAddress, parseIpPrefix } from '../../control/ip-text.js';
import type { SignedFields } from '../../gateway/mesh-model.js';
import { FieldWriter } from './field-writer.js';
import { isSignedBy } from './signing.js';

/**
 * A signed record of a node, as it travels: keys and signatures are base64.
 *
 * The network signs the name of the node and what belongs to it. An agent signs its own WireGuard key, so that it can change the
 * key without an administrator; the key of a stock node is signed by the network.
 */
export interface NodeRecord extends SignedFields {
  readonly id: string;
  /** The WireGuard key in use. */
  readonly publicKey: string;
  /** Counts up with each key of an agent; 0: a stock node. */
  readonly keySeq: number;
  /** Absent: a stock node. */
  readonly keySignature?: string;
  /** The key that comes next, signed with `keySeq + 1`. */
  readonly next?: { readonly publicKey: string; readonly keySignature: string };
}

/** The reason why a record is refused: stable codes. */
export type RecordProblem = 'network-signature' | 'key-signature' | 'expired' | 'older' | 'malformed';

/** The fields that the network signs, in their order. */
export function networkSignedBytes(
  networkId: Uint8Array,
  id: string,
  fields: Omit<SignedFields, 'signature'>,
): Uint8Array {
  return new FieldWriter()
    .text('wiretype node 1')
    .bytes(networkId)
    .text(id)
    .text(fields.name)
    .bytes(fromBase64(fields.identityKey))
    .bytes(fromBase64(fields.wireguardKey))
    .list(fields.addresses, (writer, address) => writer.bytes(parseIpAddress(address)!))
    .list(fields.tags, (writer, tag) => writer.text(tag))
    .list(fields.routes, (writer, route) => {
      const { address, prefixLength } = parseIpPrefix(route)!;
      writer.bytes(Uint8Array.of(...address, prefixLength));
    })
    .number(fields.notAfterUnixMs)
    .number(fields.serial)
    .toBytes();
}

/** The fields that an agent signs with its identity key, in their order. */
export function keySignedBytes(networkId: Uint8Array, id: string, publicKey: string, keySeq: number): Uint8Array {
  return new FieldWriter()
    .text('wiretype key 1')
    .bytes(networkId)
    .text(id)
    .bytes(fromBase64(publicKey))
    .number(keySeq)
    .toBytes();
}

/** The bytes by which a host that enrols proves that it has its identity key. */
export function enrolmentSignedBytes(
  networkId: Uint8Array,
  invitation: string,
  name: string,
  publicKey: string,
): Uint8Array {
  return new FieldWriter()
    .text('wiretype enrol 1')
    .bytes(networkId)
    .text(invitation)
    .text(name)
    .bytes(fromBase64(publicKey))
    .toBytes();
}

export interface RecordCheck {
  readonly networkId: Uint8Array;
  /** Ed25519 key of the network. */
  readonly signingKey: Uint8Array;
  readonly nowUnixMs: number;
  /** Highest numbers seen of this node. */
  readonly seen?: { readonly serial: number; readonly keySeq: number } | undefined;
}

/** Tests both signatures, the time and the order. @returns `undefined`: the record is good. */
export function problemOfRecord(record: NodeRecord, check: RecordCheck): RecordProblem | undefined {
  const { networkId, signingKey, nowUnixMs, seen } = check;
  if (!isWellFormed(record)) return 'malformed';
  const signed = networkSignedBytes(networkId, record.id, record);
  if (!isSignedBy(signingKey, signed, fromBase64(record.signature))) return 'network-signature';
  if (!isKeySigned(record, networkId)) return 'key-signature';
  if (record.notAfterUnixMs < nowUnixMs) return 'expired';
  if (seen !== undefined && (record.serial < seen.serial || record.keySeq < seen.keySeq)) return 'older';
  return undefined;
}

function isKeySigned(record: NodeRecord, networkId: Uint8Array): boolean {
  const { id, identityKey, publicKey, keySeq, keySignature, next } = record;
  if (identityKey === undefined) return record.wireguardKey === publicKey && next === undefined;
  const isSigned = (key: string, seq: number, signature: string | undefined): boolean =>
    signature !== undefined &&
    isSignedBy(fromBase64(identityKey), keySignedBytes(networkId, id, key, seq), fromBase64(signature));
  return (
    isSigned(publicKey, keySeq, keySignature) &&
    (next === undefined || isSigned(next.publicKey, keySeq + 1, next.keySignature))
  );
}

function isWellFormed({ addresses, routes }: NodeRecord): boolean {
  return (
    addresses.every((address) => parseIpAddress(address) !== undefined) &&
    routes.every((route) => parseIpPrefix(route) !== undefined)
  );
}

export function fromBase64(text = ''): Uint8Array {
  return Buffer.from(text, 'base64');
}
