/** Facts of a mesh that the gateway keeps with its devices and settings. `src/mesh` gives them their meaning. */

/** `auto`: the hub signs records by itself. `locked`: the administrator does, elsewhere, and the hub cannot. */
export type TrustMode = 'auto' | 'locked';

/** The network of a hub. */
export interface MeshSettings {
  /** One label of a DNS name: nodes are `NODE.NAME.internal`. */
  readonly name: string;
  /** 16 bytes, base64. */
  readonly networkId: string;
  readonly mode: TrustMode;
  /** Ed25519 public key of the network, base64. */
  readonly signingKey: string;
}

/** The fields of a node that the network signs, with the signature, base64. */
export interface SignedFields {
  readonly name: string;
  readonly addresses: readonly string[];
  readonly tags: readonly string[];
  readonly routes: readonly string[];
  readonly identityKey?: string;
  /** The key of a stock node, which has no identity to sign it with. */
  readonly wireguardKey?: string;
  readonly notAfterUnixMs: number;
  readonly serial: number;
  readonly signature: string;
}

/** The facts of a device in the mesh. A device without these facts is a stock node that its administrator added. */
export interface NodeFacts {
  /** Ed25519 public key of an agent, base64. Absent: a stock node. */
  readonly identityKey?: string;
  /** Counts up with each WireGuard key of an agent. */
  readonly keySeq?: number;
  /** The agent's signature of its WireGuard key, base64. */
  readonly keySignature?: string;
  /** Signature of the next key, while it waits for its first handshake. */
  readonly nextKeySignature?: string;
  /** Subnets that the node leads to, as approved; `0.0.0.0/0` makes it an exit. */
  readonly routes: readonly string[];
  /** Subnets that the node offers and nobody has approved. */
  readonly offeredRoutes: readonly string[];
  /** Ids of the nodes that the file of a stock node names: it talks to all others through the hub, which can read that. */
  readonly knows?: readonly string[];
  /** Public `HOST:PORT` at which a stock node can be reached directly. */
  readonly endpoint?: string;
  /** Id of the invitation that it came by. */
  readonly invitation?: string;
  /** It is removed after so many minutes offline. */
  readonly ephemeralMinutes?: number;
  /** Mode `locked`: what the administrator has signed last. Absent: the node waits for that. */
  readonly signed?: SignedFields;
}

/** A text that lets a host become a node, as the hub keeps it. */
export interface Invitation {
  readonly id: string;
  /** X25519 public key, base64: a peer of the hub that reaches nothing but enrolment. */
  readonly publicKey: string;
  /** Its address in the lobby. */
  readonly address: string;
  /** Name that the node gets. Absent: the host chooses. */
  readonly name?: string;
  readonly tags: readonly string[];
  readonly owner?: string;
  readonly ephemeralMinutes?: number;
  readonly usesLeft: number;
  readonly createdAtUnixMs: number;
  readonly createdBy: string;
  readonly expiresAtUnixMs: number;
  /** The nodes that used it, and when. */
  readonly used: readonly { readonly node: string; readonly name: string; readonly atUnixMs: number }[];
}
