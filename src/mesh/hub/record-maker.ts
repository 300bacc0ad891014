import type { SignedFields } from '../../gateway/mesh-model.js';
import { fromBase64, type NodeRecord, networkSignedBytes } from '../records/node-record.js';
import type { SigningKey } from '../records/signing.js';
import { isAgent, type NodeDevice } from './node-devices.js';

const RECORD_MS = 7 * 86_400_000;
/** A record is renewed when half of its time has passed. */
const RENEW_MS = RECORD_MS / 2;
/** A clock that is corrected by less makes no record anew. */
const CLOCK_STEP_MS = 3_600_000;
/** Signatures of the administrator are renewed so long before their end. */
const SIGN_AGAIN_MS = 30 * 86_400_000;

interface Made {
  readonly fields: SignedFields;
  /** The fields that it was made of, as text. */
  readonly source: string;
}

/** Makes the records of nodes. Mode `auto`: signs them; mode `locked`: hands out what the administrator has signed. */
export class RecordMaker {
  readonly #networkId: Uint8Array;
  readonly #key: SigningKey | undefined;
  readonly #made = new Map<string, Made>();

  /** @param key Absent: mode `locked`. */
  constructor(networkId: string, key: SigningKey | undefined) {
    this.#networkId = fromBase64(networkId);
    this.#key = key;
  }

  /**
   * Returns the record of a node.
   *
   * @param revision Grows with each change of the network: the serial of a record that is made now.
   * @returns `undefined`: the administrator has not signed it yet.
   */
  recordOf(device: NodeDevice, revision: number, nowUnixMs: number): NodeRecord | undefined {
    const fields = this.#key === undefined ? device.node.signed : this.#signed(device, this.#key, revision, nowUnixMs);
    if (fields === undefined) return undefined;
    const { keySeq = 0, keySignature, nextKeySignature } = device.node;
    return {
      id: device.id,
      ...fields,
      publicKey: device.publicKey,
      keySeq,
      ...(keySignature === undefined ? {} : { keySignature }),
      ...(device.nextPublicKey === undefined || nextKeySignature === undefined
        ? {}
        : { next: { publicKey: device.nextPublicKey, keySignature: nextKeySignature } }),
    };
  }

  /** Whether a record has to be made again, as its time runs out. */
  isDue(id: string, nowUnixMs: number): boolean {
    const made = this.#made.get(id);
    return made !== undefined && !isFresh(made, nowUnixMs);
  }

  forget(id: string): void {
    this.#made.delete(id);
  }

  #signed(device: NodeDevice, key: SigningKey, revision: number, nowUnixMs: number): SignedFields {
    const source = JSON.stringify(wantedFields(device));
    const known = this.#made.get(device.id);
    if (known?.source === source && isFresh(known, nowUnixMs)) return known.fields;
    const serial = Math.max(revision, known?.fields.serial ?? 0);
    const fields = { ...wantedFields(device), notAfterUnixMs: nowUnixMs + RECORD_MS, serial };
    const signature = key.sign(networkSignedBytes(this.#networkId, device.id, fields));
    const signed = { ...fields, signature: Buffer.from(signature).toString('base64') };
    this.#made.set(device.id, { fields: signed, source });
    return signed;
  }
}

/** A record that would last longer than one that is made now was made while the clock of the hub was ahead. */
function isFresh({ fields }: Made, nowUnixMs: number): boolean {
  const leftMs = fields.notAfterUnixMs - nowUnixMs;
  return leftMs >= RENEW_MS && leftMs <= RECORD_MS + CLOCK_STEP_MS;
}

/** The fields of a device as they would be signed now. */
export function wantedFields(device: NodeDevice): Omit<SignedFields, 'signature' | 'notAfterUnixMs' | 'serial'> {
  const { name, addresses, tags, node, publicKey } = device;
  return {
    name,
    addresses,
    tags,
    routes: node.routes,
    ...(isAgent(device) ? { identityKey: node.identityKey! } : { wireguardKey: publicKey }),
  };
}

/** Tests whether the administrator is to sign a node: what is signed differs from what it is, or ends soon. */
export function isToBeSigned(device: NodeDevice, nowUnixMs: number): boolean {
  const { signed } = device.node;
  if (signed === undefined) return true;
  const { notAfterUnixMs, serial: _, signature: __, ...fields } = signed;
  return notAfterUnixMs - nowUnixMs < SIGN_AGAIN_MS || JSON.stringify(fields) !== JSON.stringify(wantedFields(device));
}
