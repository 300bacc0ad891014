import type { PacketBatch } from '../core/packets/packet-batch.js';
import { Verdict } from '../core/packets/verdict.js';
import * as ipHeader from '../wire/ip-header.js';
import { DeviceFlows, type FlowAuthority } from './device-flows.js';
import { OutsideAddresses } from './outside.js';
import type { InnerAddress, Places } from './places.js';

/** Room for 65,536 flows to the outside, where the kernel carries them. */
const OUTSIDE_SETS = 16_384;

/**
 * The stages over batches: accounts for each packet, bounds rates, and drops what a device may not send or receive.
 *
 * `inbound` comes after `admit`, which has tied the source address of a packet to its peer. `outbound` comes before
 * `route`. Dropped rows get the verdict `Filtered`, and are counted by cause at their device. A packet that is dropped is
 * not accounted for. Nothing is allocated per packet.
 *
 * Flows to the Internet and the LAN are judged by whoever is about to connect them, once per flow, and again when the
 * revision has changed. Where the kernel carries their packets, `mayLeaveHost` and `mayAnswer` do it.
 */
export class Stages {
  readonly #places: Places;
  readonly #flows: DeviceFlows;
  readonly #outsideFlows: DeviceFlows;
  readonly #outside = new OutsideAddresses();
  /** The bytes of the batch at hand. */
  #bytes: Uint8Array = new Uint8Array(0);
  /** Packets from addresses that no device has. */
  unknownDeviceDrops = 0;

  /** @param seed Any 32 random bits. */
  constructor(places: Places, seed: number, authority: FlowAuthority) {
    this.#places = places;
    this.#flows = new DeviceFlows(seed, authority);
    this.#outsideFlows = new DeviceFlows(seed, authority, OUTSIDE_SETS);
  }

  inbound(batch: PacketBatch, nowMs: number): void {
    for (let row = 0; row < batch.count; row++)
      if (batch.verdict[row] === Verdict.Pass && batch.length[row] > 0 && !this.mayEnter(batch, row, nowMs))
        batch.verdict[row] = Verdict.Filtered;
  }

  outbound(batch: PacketBatch, nowMs: number): void {
    for (let row = 0; row < batch.count; row++)
      if (batch.verdict[row] === Verdict.Pass && batch.length[row] > 0 && !this.#mayLeave(batch, row, nowMs))
        batch.verdict[row] = Verdict.Filtered;
  }

  /** Tests whether a packet of a device may leave for a network of the host. Answers its flow, from here on. */
  mayLeaveHost(batch: PacketBatch, row: number, nowMs: number): boolean {
    const from = this.#sourceOf(batch, row);
    if (from?.device === undefined) return false;
    const to = this.#outside.destination(batch.bytes, batch.offset[row]);
    if (this.#outsideFlows.passes(batch, row, from, to, nowMs)) return true;
    from.device.counts.deniedDrops++;
    return false;
  }

  /** Tests whether a packet of a network of the host answers a device. */
  mayAnswer(batch: PacketBatch, row: number, nowMs: number): boolean {
    const to = this.#destinationOf(batch, row);
    if (to?.device === undefined) return false;
    const from = this.#outside.find(batch.bytes, batch.offset[row], false);
    this.#bytes = batch.bytes;
    return this.#outsideFlows.answers(batch, row, from, to, nowMs, this.#findQuoted);
  }

  isFromDevice(batch: PacketBatch, row: number): boolean {
    return this.#sourceOf(batch, row)?.device !== undefined;
  }

  isForDevice(batch: PacketBatch, row: number): boolean {
    return this.#destinationOf(batch, row)?.device !== undefined;
  }

  readonly #findQuoted = (at: number): InnerAddress | undefined =>
    at + ipHeader.IPV6_HEADER_BYTES <= this.#bytes.length ? this.#outside.find(this.#bytes, at, true) : undefined;

  /** Judges a packet of a device, whatever it is for. */
  mayEnter(batch: PacketBatch, row: number, nowMs: number): boolean {
    const from = this.#sourceOf(batch, row);
    const to = this.#destinationOf(batch, row);
    const device = from?.device;
    const isForGateway = to !== undefined && to.device === undefined;
    if (device === undefined) {
      if (!isForGateway) this.unknownDeviceDrops++;
      return isForGateway;
    }
    if (!isForGateway && device.standingAt(nowMs) !== 'good') {
      device.counts.standingDrops++;
      return false;
    }
    if (to?.device !== undefined && !this.#flows.passes(batch, row, from!, to, nowMs)) {
      device.counts.deniedDrops++;
      return false;
    }
    if (!device.up.take(batch.length[row], nowMs)) {
      device.counts.upRateDrops++;
      return false;
    }
    device.countReceived(batch.length[row], nowMs);
    return true;
  }

  #mayLeave(batch: PacketBatch, row: number, nowMs: number): boolean {
    const device = this.#destinationOf(batch, row)?.device;
    if (device === undefined) return true; // `route` finds that there is no peer, and answers
    if (device.standingAt(nowMs) !== 'good' && !this.#isFromGateway(batch, row)) {
      device.counts.standingDrops++;
      return false;
    }
    if (!device.down.take(batch.length[row], nowMs)) {
      device.counts.downRateDrops++;
      return false;
    }
    device.countSent(batch.length[row], nowMs);
    return true;
  }

  #isFromGateway(batch: PacketBatch, row: number): boolean {
    const from = this.#sourceOf(batch, row);
    return from !== undefined && from.device === undefined;
  }

  #sourceOf({ bytes, offset, length }: PacketBatch, row: number): InnerAddress | undefined {
    const at = offset[row];
    const version = ipHeader.checkIpPacket(bytes, at, length[row]);
    if (version === 4) return this.#places.inner.lookup4(bytes, at + ipHeader.IPV4_SOURCE_AT);
    return version === 6 ? this.#places.inner.lookup6(bytes, at + ipHeader.IPV6_SOURCE_AT) : undefined;
  }

  #destinationOf({ bytes, offset, length }: PacketBatch, row: number): InnerAddress | undefined {
    const at = offset[row];
    const version = ipHeader.checkIpPacket(bytes, at, length[row]);
    if (version === 4) return this.#places.inner.lookup4(bytes, at + ipHeader.IPV4_DESTINATION_AT);
    return version === 6 ? this.#places.inner.lookup6(bytes, at + ipHeader.IPV6_DESTINATION_AT) : undefined;
  }
}
