/** Policy as its rules are written down, with big integers and lists: slow, and easy to read. */
import type { AccessRule, Flow, PolicyDevice, Subject } from '../../src/policy/access.js';

type Kind = 'gateway' | 'device' | 'internet' | 'lan' | 'this-host' | 'link-local' | 'metadata' | 'not-unicast';

export interface NaiveWorld {
  readonly devices: readonly PolicyDevice[];
  readonly rules: readonly AccessRule[];
  readonly gateway: readonly Uint8Array[];
  readonly own: readonly Uint8Array[];
  /** The kind of each range; the longest decides. */
  readonly ranges: readonly (readonly [network: Uint8Array, length: number, kind: Kind])[];
  readonly unixMs: number;
}

/** @returns Whether it may pass, and why: `rule ID`, `switch NAME` or the reason alone. */
export function naiveDecision(world: NaiveWorld, flow: Flow): string {
  const { devices, rules } = world;
  const device = devices.find(({ id }) => id === flow.device);
  const [kind, rangeLength] = naiveKind(world, flow.destination);
  const other = devices.find(({ addresses }) => addresses.some((each) => isSame(each, flow.destination)));
  const matching = rules.filter((rule) => matches(rule, flow, device, kind, other));
  const first = matching[0];
  if (kind === 'gateway') return first === undefined ? 'allow gateway' : `${first.action} rule ${first.id}`;
  if (device === undefined) return 'deny unknown-device';
  for (const each of other === undefined ? [device] : [device, other]) {
    if (each.isBlocked) return 'deny device-blocked';
    if (each.expiresAtUnixMs !== undefined && each.expiresAtUnixMs <= world.unixMs) return 'deny device-expired';
    if (each.limits.quotaBytes === 0) return 'deny quota-used';
  }

  if (['this-host', 'link-local', 'metadata', 'not-unicast'].includes(kind)) {
    const explicit = matching
      .flatMap((rule) => (rule.to.kind === 'prefix' ? [{ rule, length: rule.to.prefix.prefixLength }] : []))
      .filter(({ length }) => length >= rangeLength)
      .sort((a, b) => b.length - a.length);
    const longest = explicit.filter(({ length }) => length === explicit[0].length);
    const chosen = longest.filter(({ rule }) => rule.action === 'deny').at(-1) ?? longest[0];
    if (chosen === undefined) return `deny ${kind}`;
    if (chosen.rule.action === 'deny')
      return `deny rule ${longest.find(({ rule }) => rule.action === 'deny')!.rule.id}`;
  }
  if (first !== undefined) return `${first.action} rule ${first.id}`;
  const name = kind === 'internet' ? 'internet' : kind === 'lan' ? 'lan' : 'devices';
  return `${device.switches[name] ? 'allow' : 'deny'} switch ${name}`;
}

function naiveKind({ gateway, devices, own, ranges }: NaiveWorld, address: Uint8Array): [Kind, number] {
  const bits = address.length * 8;
  if (gateway.some((each) => isSame(each, address))) return ['gateway', bits];
  if (devices.some(({ addresses }) => addresses.some((each) => isSame(each, address)))) return ['device', bits];
  if (own.some((each) => isSame(each, address))) return ['this-host', bits];
  let best: [Kind, number] = ['internet', 0];
  for (const [network, length, kind] of ranges)
    if (isInside(network, length, address) && length >= best[1]) best = [kind, length];
  return best;
}

function matches(
  { from, to, protocol, ports }: AccessRule,
  flow: Flow,
  device: PolicyDevice | undefined,
  kind: Kind,
  other: PolicyDevice | undefined,
): boolean {
  const isOfProtocol = protocol === undefined || protocol === flow.protocol;
  const hasPorts = flow.protocol === 'tcp' || flow.protocol === 'udp';
  const isOfPorts = ports === undefined || (hasPorts && ports.first <= flow.port && flow.port <= ports.last);
  if (!isOfProtocol || !isOfPorts || !isOf(from, device)) return false;
  if (to.kind === 'anything') return kind !== 'gateway';
  if (to.kind === 'prefix') return isInside(to.prefix.address, to.prefix.prefixLength, flow.destination);
  if (to.kind === 'everyone' || to.kind === 'device' || to.kind === 'tag') return kind === 'device' && isOf(to, other);
  return to.kind === kind;
}

function isOf(subject: Subject, device: PolicyDevice | undefined): boolean {
  if (subject.kind === 'everyone') return true;
  if (device === undefined) return false;
  return subject.kind === 'device' ? subject.device === device.id : device.tags.includes(subject.tag);
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && toInteger(a) === toInteger(b);
}

function isInside(network: Uint8Array, length: number, address: Uint8Array): boolean {
  const shift = BigInt(network.length * 8 - length);
  return network.length === address.length && toInteger(network) >> shift === toInteger(address) >> shift;
}

function toInteger(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).toString('hex')}`);
}
