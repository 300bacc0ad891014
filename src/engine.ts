/**
 * The parts behind `Tunnel`, for whoever wants another loop: the device with its stages over batches, and the loop.
 *
 * Unstable: modules that are exported here may change with any version.
 */
export { Device, type DeviceOptions } from './core/device.js';
export { type DeviceEvent, type DeviceEventKind, DeviceEvents } from './core/device-events.js';
export type { Counters } from './core/packets/counters.js';
export { HEADROOM_BYTES, MAX_PACKET_BYTES, NO_KEY, PacketBatch, TAILROOM_BYTES } from './core/packets/packet-batch.js';
export type { ReasonCode, SessionReason } from './core/session-reason.js';
export { Driver, type DriverOptions } from './host/driver.js';
export { FilteringSocket } from './host/filtering-socket.js';
export { FilteringTun } from './host/filtering-tun.js';
export { type Path, PathSocket, type PathSocketOptions } from './host/path-socket.js';
export type { RowFilter, RowFilters } from './host/row-filter.js';
