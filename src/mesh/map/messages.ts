import * as v from 'valibot';

import { RuleText } from './rule-text.js';

/**
 * The messages of the control connection: JSON in WebSocket messages, inside of the tunnel.
 *
 * ```text
 * → hello   resume point          ← map      what changed, or all of it
 * → ack      of a full map        ← punch    probe these addresses, then
 * → report  candidates, paths     ← rotated  the next key is known everywhere
 * → punch   ask for a punch       ← revoked
 * → rotate  the next key
 * → offer   routes
 * → leave
 * ```
 *
 * Each message is parsed by its schema; what does not fit ends the connection.
 */
const MAX_CANDIDATES = 16;
const MAX_REPORTED_PATHS = 512;
const Text = v.pipe(v.string(), v.maxLength(300));
const Id = v.pipe(v.string(), v.regex(/^[0-9a-f]{12}$/));
const Key = v.pipe(v.string(), v.regex(/^[A-Za-z0-9+/]{43}=$/));
const Signature = v.pipe(v.string(), v.regex(/^[A-Za-z0-9+/]{86}==$/));
const Count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const Milliseconds = v.pipe(v.number(), v.minValue(0), v.maxValue(3_600_000));
const Route = v.pipe(v.string(), v.regex(/^[0-9a-fA-F:.]+\/\d{1,3}$/));

/** `ADDRESS:PORT`, checked when it is used. */
const CandidateText = v.strictObject({
  address: v.pipe(v.string(), v.maxLength(60)),
  kind: v.picklist(['lan', 'ipv6', 'mapped', 'observed', 'forwarded', 'reflexive']),
});

/** How a NAT maps ports: the same one for all destinations (easy), or another for each (hard). */
const Mapping = v.picklist(['easy', 'hard', 'unknown']);
export const PATH_KINDS = ['direct', 'relay', 'carried'] as const;

export const AgentMessage = v.variant('type', [
  v.strictObject({ type: v.literal('hello'), version: v.literal(1), rev: v.optional(Count) }),
  v.strictObject({ type: v.literal('ack'), rev: Count }),
  v.strictObject({
    type: v.literal('report'),
    candidates: v.pipe(v.array(CandidateText), v.maxLength(MAX_CANDIDATES)),
    mapping: Mapping,
    rttMs: v.optional(Milliseconds),
    paths: v.pipe(
      v.record(Id, v.picklist(PATH_KINDS)),
      v.check((paths) => Object.keys(paths).length <= MAX_REPORTED_PATHS),
    ),
  }),
  v.strictObject({ type: v.literal('punch'), node: Id, attempt: Count }),
  v.strictObject({ type: v.literal('rotate'), publicKey: Key, keySeq: Count, signature: Signature }),
  v.strictObject({ type: v.literal('offer'), routes: v.pipe(v.array(Route), v.maxLength(64)) }),
  v.strictObject({ type: v.literal('leave') }),
]);

const Fields = {
  name: Text,
  addresses: v.pipe(v.array(Text), v.maxLength(8)),
  tags: v.pipe(v.array(Text), v.maxLength(64)),
  routes: v.pipe(v.array(Route), v.maxLength(64)),
  identityKey: v.optional(Key),
  wireguardKey: v.optional(Key),
  notAfterUnixMs: Count,
  serial: Count,
  signature: Signature,
};

export const RecordSchema = v.strictObject({
  id: Id,
  ...Fields,
  publicKey: Key,
  keySeq: Count,
  keySignature: v.optional(Signature),
  next: v.optional(v.strictObject({ publicKey: Key, keySignature: Signature })),
});

/** A node in a map: its record, and what is not signed since it changes too often or harms nobody. */
export const MapEntry = v.strictObject({
  record: RecordSchema,
  /** It may begin connections to others where no rule says otherwise. */
  mayBegin: v.boolean(),
  /** Public address of a stock node. */
  endpoint: v.optional(Text),
});

export const HubInfo = v.strictObject({
  publicKey: Key,
  /** `HOST:PORT` by UDP. */
  endpoint: Text,
  /** A second UDP port that answers probes only. */
  secondPort: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65_535))),
  carrierUrl: v.optional(Text),
  addresses: v.array(Text),
  subnets: v.array(Route),
});

export const MapMessage = v.strictObject({
  type: v.literal('map'),
  rev: Count,
  /** Whether `put` is everything: an empty list never means "unchanged". */
  full: v.boolean(),
  put: v.array(MapEntry),
  del: v.array(Id),
  /** Present where it may have changed, and in each full map. */
  self: v.optional(MapEntry),
  hub: v.optional(HubInfo),
  rules: v.optional(v.array(RuleText)),
  /** The hub's clock. */
  unixMs: Count,
});

export const HubMessage = v.variant('type', [
  MapMessage,
  v.strictObject({
    type: v.literal('punch'),
    node: Id,
    candidates: v.pipe(v.array(CandidateText), v.maxLength(MAX_CANDIDATES)),
    inMs: Milliseconds,
  }),
  v.strictObject({ type: v.literal('rotated'), keySeq: Count }),
  v.strictObject({ type: v.literal('revoked'), reason: Text }),
]);

export type AgentMessage = v.InferOutput<typeof AgentMessage>;
export type HubMessage = v.InferOutput<typeof HubMessage>;
export type MapMessage = v.InferOutput<typeof MapMessage>;
export type MapEntry = v.InferOutput<typeof MapEntry>;
export type HubInfo = v.InferOutput<typeof HubInfo>;
export type CandidateText = v.InferOutput<typeof CandidateText>;
export type Report = Extract<AgentMessage, { type: 'report' }>;

/** @returns `undefined` for what is no message. */
export function parseAgentMessage(text: string): AgentMessage | undefined {
  return parse(AgentMessage, text);
}

/** @returns `undefined` for what is no message. */
export function parseHubMessage(text: string): HubMessage | undefined {
  return parse(HubMessage, text);
}

function parse<Schema extends v.GenericSchema>(schema: Schema, text: string): v.InferOutput<Schema> | undefined {
  try {
    const result = v.safeParse(schema, JSON.parse(text));
    return result.success ? result.output : undefined;
  } catch {
    return undefined;
  }
}
