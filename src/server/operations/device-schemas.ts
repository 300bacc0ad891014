import * as v from 'valibot';

/** Bodies of devices: what programs and the page send and get. */
const Milliseconds = v.pipe(v.number(), v.integer(), v.minValue(0));
const Bytes = v.pipe(v.number(), v.minValue(0));
export const Id = v.pipe(v.string(), v.regex(/^[0-9a-zA-Z_-]{1,64}$/));
export const Key = v.pipe(v.string(), v.regex(/^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$/));
export const Name = v.pipe(v.string(), v.minLength(1), v.maxLength(64));

export const Switches = v.strictObject({ internet: v.boolean(), lan: v.boolean(), devices: v.boolean() });

const Positive = v.pipe(v.number(), v.integer(), v.minValue(1));
export const Limits = v.strictObject({
  upBitsPerSecond: v.optional(Positive),
  downBitsPerSecond: v.optional(Positive),
  quotaBytes: v.optional(Positive),
  quotaResetDay: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(31))),
});

export const Tags = v.pipe(v.array(v.pipe(v.string(), v.maxLength(32))), v.maxLength(16));
const Note = v.pipe(v.string(), v.maxLength(1_000));

export const NewDeviceBody = v.strictObject({
  name: Name,
  publicKey: Key,
  hasPresharedKey: v.optional(v.boolean()),
  tags: v.optional(Tags),
  note: v.optional(Note),
  owner: v.optional(Id),
  expiresAtUnixMs: v.optional(Milliseconds),
  limits: v.optional(Limits),
  switches: v.optional(Switches),
});

export const DeviceChangeBody = v.strictObject({
  id: Id,
  name: v.optional(Name),
  tags: v.optional(Tags),
  note: v.optional(Note),
  owner: v.optional(v.nullable(Id)),
  expiresAtUnixMs: v.optional(v.nullable(Milliseconds)),
  limits: v.optional(Limits),
  switches: v.optional(Switches),
});

export const Condition = v.picklist(['online', 'asleep', 'never-seen', 'blocked', 'in-trouble']);

export const DeviceBody = v.strictObject({
  id: Id,
  name: v.string(),
  publicKey: Key,
  hasPresharedKey: v.boolean(),
  addresses: v.array(v.string()),
  tags: v.array(v.string()),
  note: v.string(),
  owner: v.optional(Id),
  switches: Switches,
  limits: Limits,
  isBlocked: v.boolean(),
  expiresAtUnixMs: v.optional(Milliseconds),
  createdAtUnixMs: Milliseconds,
  deletedAtUnixMs: v.optional(Milliseconds),
  nextPublicKey: v.optional(Key),
  /** Its facts in the mesh of a hub: see `/mesh`. */
  node: v.optional(v.object({})),
  /** Changes with each change of the device's settings, for `If-Match`. */
  etag: v.string(),
  condition: Condition,
  reason: v.strictObject({ code: v.string(), seconds: v.number() }),
  lastHandshakeUnixMs: v.optional(Milliseconds),
  endpoint: v.optional(v.string()),
  receivedBytes: Bytes,
  sentBytes: Bytes,
  quotaUsedBytes: Bytes,
  receivedBytesPerSecond: Bytes,
  sentBytesPerSecond: Bytes,
  proof: v.strictObject({
    handshake: v.optional(Milliseconds),
    'first-packet': v.optional(Milliseconds),
    'name-resolved': v.optional(Milliseconds),
    connected: v.optional(Milliseconds),
  }),
  drops: v.record(v.string(), v.number()),
});

export type DeviceBody = v.InferOutput<typeof DeviceBody>;

/** A device with its file, whose line of the private key is left for whoever has the key. */
export const DeviceWithFile = v.strictObject({ ...DeviceBody.entries, file: v.string() });

export const Period = v.strictObject({
  fromUnixMs: Milliseconds,
  toUnixMs: Milliseconds,
  buckets: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1_000)), 400),
});

export const Sample = v.strictObject({
  startUnixMs: Milliseconds,
  seconds: v.number(),
  receivedBytes: Bytes,
  sentBytes: Bytes,
});

export const SessionBody = v.strictObject({
  device: Id,
  startUnixMs: Milliseconds,
  endUnixMs: Milliseconds,
  receivedBytes: Bytes,
  sentBytes: Bytes,
});

export const FlowBody = v.strictObject({
  device: Id,
  protocol: v.string(),
  destination: v.string(),
  port: v.number(),
  sinceUnixMs: Milliseconds,
  receivedBytes: Bytes,
  sentBytes: Bytes,
});

export const Nothing = v.strictObject({});
export const ById = v.strictObject({ id: Id });
