/**
 * WireGuard as a library: the engine, the cryptography that it needs, and a loop to run it without root.
 *
 * ```ts
 * import { Device, DgramSocket, Driver, formatKey, JsAead, MemoryTun, NodeCrypto, nodeEnvironment } from 'wiretype';
 *
 * const aead = new JsAead();
 * const device = new Device({ crypto: new NodeCrypto(), environment: nodeEnvironment, aead });
 * const socket = await DgramSocket.open(51_820);
 * const tun = new MemoryTun();
 * const driver = new Driver({ device, aead, socket, tun });
 *
 * tun.onPacket = (packet) => console.log(`an IP packet of ${packet.length} bytes came out of the tunnel`);
 * device.setUp(true, nowMs());
 * device.applyChange({ privateKey, replacePeers: false, peers: [] }, nowMs());
 * driver.settle(); // after every change
 * console.log(`public key: ${formatKey(device.publicKey!)}`);
 *
 * function nowMs() { // the clock of the loop
 *   return Math.floor(performance.now());
 * }
 * ```
 *
 * The engine has neither clock nor socket: whoever wants another loop, another socket or another source of packets
 * implements `DatagramSocket` and `Tun`, or calls the stages of `Device` on a `PacketBatch` of his own.
 *
 * Configuration files are the business of `wiretype/config`. Modules that are not exported here or there may
 * change with any version.
 */
export type { Addon } from './addon/interface.js';
export { AddonMissingError, loadAddon } from './addon/load.js';
export type { PeerState } from './control/device-control.js';
export { formatIpAddress, formatIpPrefix, parseIpAddress, parseIpPrefix } from './control/ip-text.js';
export { formatKey, parseKey } from './control/key-text.js';
export type { AllowedIpChange, DeviceChange, IpPrefix, PeerChange } from './core/configuration.js';
export { Device, type DeviceOptions } from './core/device.js';
export { ERROR_CODES, type ErrorCode, WireGuardError } from './core/errors.js';
export type { Counters } from './core/packets/counters.js';
export { HEADROOM_BYTES, MAX_PACKET_BYTES, NO_KEY, PacketBatch, TAILROOM_BYTES } from './core/packets/packet-batch.js';
export { VERDICT_NAMES, Verdict } from './core/packets/verdict.js';
export type { AeadStage, Crypto, Environment } from './core/ports.js';
export { JsAead } from './crypto/js-aead.js';
export { NativeAead } from './crypto/native-aead.js';
export { nativeCrypto } from './crypto/native-crypto.js';
export { NodeCrypto } from './crypto/node-crypto.js';
export type { DatagramSocket, DatagramSocketStats } from './host/datagram-socket.js';
export { DgramSocket, type DgramSocketOptions } from './host/dgram-socket.js';
export { Driver, type DriverOptions } from './host/driver.js';
export { MemoryTun } from './host/memory/tun.js';
export { nodeEnvironment } from './host/node-environment.js';
export type { Tun } from './host/tun.js';
export { Endpoint, type IpFamily } from './wire/endpoint.js';
