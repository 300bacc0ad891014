import { getSystemErrorMap } from 'node:util';

import type { DeviceChange } from '../../core/configuration.js';
import { WireGuardError } from '../../core/errors.js';
import type { ReportedDevice } from '../reported-device.js';
import { SystemZoneNames, type ZoneNames } from '../zone-names.js';
import { AttributeWriter } from './attributes.js';
import { formatChangeMessages } from './change-messages.js';
import { COMMAND, DEVICE, FAMILY_NAME, FAMILY_VERSION } from './device-attributes.js';
import { DeviceReader } from './device-reader.js';
import { NetlinkExchange, type Outcome } from './exchange.js';
import { hasAllowedIpRemovals, withoutAllowedIpRemovals } from './explicit-allowed-ips.js';
import { formatGeneric, lookupFamily } from './generic-family.js';
import { listLinks } from './links.js';
import { FLAG_DUMP, type Verdict } from './messages.js';
import { NETLINK_GENERIC, NETLINK_ROUTE, type OpenNetlink } from './netlink-socket.js';

/** A device that changes this often while it is being read is never read whole. */
const MAX_ATTEMPTS = 100;
const MAX_REQUEST_BYTES = 64;

const EPERM = 1;
const ENOENT = 2;
const EINTR = 4;
const EACCES = 13;
const ENODEV = 19;
const EINVAL = 22;
const EPROTO = 71;
const EPROTONOSUPPORT = 93;
const EOPNOTSUPP = 95;
const EADDRINUSE = 98;

/**
 * The interfaces of the kernel's own WireGuard, in the network namespace of the process.
 *
 * Errors have the system's number as `cause`: ERR_CONTROL_UNREACHABLE where there is no such interface,
 * ERR_KERNEL_REFUSED, ERR_PORT_IN_USE; ERR_CONTROL_REPLY for a malformed answer.
 *
 * Source: linux/wireguard.h.
 */
export class KernelWireguard {
  readonly #open: OpenNetlink;
  readonly #newZones: () => ZoneNames;

  constructor(open: OpenNetlink, newZones: () => ZoneNames = () => new SystemZoneNames()) {
    this.#open = open;
    this.#newZones = newZones;
  }

  /** The names of the interfaces, in the kernel's order. @throws {WireGuardError} */
  interfaces(): string[] {
    return this.#with(NETLINK_ROUTE, 'the list of interfaces', (exchange) => {
      const names: string[] = [];
      const outcome = untilWhole(() => {
        names.length = 0;
        return listLinks(exchange, FAMILY_NAME, names);
      });
      requireDone('the list of interfaces', outcome);
      return names;
    });
  }

  /** Reads a device. @returns A copy; the caller clears its secret keys. @throws {WireGuardError} */
  get(name: string): ReportedDevice {
    return this.#withFamily(name, (exchange, family) => {
      const reader = new DeviceReader(this.#newZones());
      const writer = new AttributeWriter(MAX_REQUEST_BYTES);
      writer.text(DEVICE.name, name);
      const payload = formatGeneric(COMMAND.getDevice, FAMILY_VERSION, writer.written);
      const outcome = untilWhole(() => {
        reader.clear();
        return exchange.request({ type: family, flags: FLAG_DUMP, payload }, (answer) => reader.read(answer));
      });
      if (outcome.errno !== 0) reader.clear();
      requireDone(name, outcome);
      return reader.device;
    });
  }

  /**
   * Changes a device. The keys in the change stay the caller's.
   *
   * A change that does not fit into one message is not atomic: the error reports whether part of it was made.
   *
   * @throws {WireGuardError}
   */
  set(name: string, change: DeviceChange): void {
    this.#withFamily(name, (exchange, family) => {
      let sent = send(exchange, family, name, change);
      if (sent.outcome.errno === EINVAL && hasAllowedIpRemovals(change)) {
        sent = send(exchange, family, name, this.#withoutRemovals(name, change));
      }
      requireDone(name, sent.outcome, sent.done);
    });
  }

  /** Sends a change to a kernel before 6.16, which cannot remove a single allowed IP. */
  #withoutRemovals(name: string, change: DeviceChange): DeviceChange {
    const device = this.get(name);
    device.privateKey?.fill(0);
    for (const { presharedKey } of device.peers) presharedKey?.fill(0);
    return withoutAllowedIpRemovals(change, device);
  }

  #withFamily<T>(name: string, work: (exchange: NetlinkExchange, family: number) => T): T {
    return this.#with(NETLINK_GENERIC, name, (exchange) => {
      const { id, errno, ...rest } = lookupFamily(exchange, FAMILY_NAME);
      requireDone(name, { ...rest, errno: errno === ENOENT ? EPROTONOSUPPORT : errno });
      return work(exchange, id);
    });
  }

  #with<T>(protocol: number, what: string, work: (exchange: NetlinkExchange) => T): T {
    const socket = this.#open(protocol);
    if (typeof socket === 'number') throw refusal(what, { errno: -socket, reason: undefined }, 0);
    try {
      return work(new NetlinkExchange(socket));
    } finally {
      socket.close();
    }
  }
}

/** Sends the messages of a change until a message is refused. */
function send(
  exchange: NetlinkExchange,
  family: number,
  name: string,
  change: DeviceChange,
): { readonly outcome: Outcome; readonly done: number } {
  let outcome: Outcome = { errno: 0, reason: undefined, isInterrupted: false };
  let done = 0;
  for (const attributes of formatChangeMessages(name, change)) {
    const payload = formatGeneric(COMMAND.setDevice, FAMILY_VERSION, attributes);
    attributes.fill(0);
    outcome = exchange.request({ type: family, flags: 0, payload }, () => true);
    payload.fill(0);
    if (outcome.errno !== 0) break;
    done += 1;
  }
  return { outcome, done };
}

/** Repeats a request as long as the listed items change meanwhile. */
function untilWhole(ask: () => Outcome): Outcome {
  for (let i = 0; i < MAX_ATTEMPTS; i++) {
    const outcome = ask();
    if (!outcome.isInterrupted && outcome.errno !== EINTR) return outcome;
  }
  return { errno: EINTR, reason: 'it changes all the time', isInterrupted: true };
}

function requireDone(name: string, outcome: Verdict, done = 0): void {
  if (outcome.errno !== 0) throw refusal(name, outcome, done);
}

/** @param done Number of messages of the same change that were carried out before. */
function refusal(name: string, { errno, reason }: Verdict, done: number): WireGuardError {
  const options = { cause: errno };
  const rest = done === 0 ? '' : '; what the change says before that is done';
  switch (errno) {
    case ENODEV:
      return new WireGuardError(
        'ERR_CONTROL_UNREACHABLE',
        `${name}: no daemon answers for this interface, and the kernel has none`,
        options,
      );
    case EOPNOTSUPP:
      return new WireGuardError(
        'ERR_CONTROL_UNREACHABLE',
        `${name}: no daemon answers for this interface, and it is not one of WireGuard's`,
        options,
      );
    case EPROTONOSUPPORT:
      return new WireGuardError(
        'ERR_CONTROL_UNREACHABLE',
        `${name}: no daemon answers for this interface, and the kernel has no WireGuard`,
        options,
      );
    case EADDRINUSE:
      return new WireGuardError('ERR_PORT_IN_USE', `${name}: its port is in use${rest}`, options);
    case EPROTO:
      return new WireGuardError('ERR_CONTROL_REPLY', `${name}: the kernel's answer cannot be read`, options);
    case EPERM:
    case EACCES:
      return new WireGuardError('ERR_KERNEL_REFUSED', `${name}: the kernel lets only root do this`, options);
    default:
      return new WireGuardError(
        'ERR_KERNEL_REFUSED',
        `${name}: the kernel refuses: ${reason ?? words(errno)}${rest}`,
        options,
      );
  }
}

function words(errno: number): string {
  return getSystemErrorMap().get(-errno)?.[1] ?? `error ${errno}`;
}
