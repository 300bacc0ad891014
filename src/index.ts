/**
 * WireGuard as a library: a tunnel inside a program, without root.
 *
 * `openTunnel` gives the program a host of its own inside the network, with sockets and servers: `docs/library.md` describes it.
 * `Tunnel` is the engine below, where IP packets go in and come out:
 *
 * ```ts
 * import { DgramSocket, Endpoint, formatKey, generateKeyPair, JsAead, MemoryTun, NodeCrypto, parseIpPrefix, Tunnel } from 'wiretype';
 *
 * async function open(privateKey: Uint8Array) {
 *   const tun = new MemoryTun();
 *   const openSocket = (port: number) => DgramSocket.open(port);
 *   const tunnel = await Tunnel.create({ crypto: new NodeCrypto(), aead: new JsAead(), tun, openSocket });
 *   await tunnel.apply({ privateKey, replacePeers: false, peers: [] });
 *   return { tun, tunnel };
 * }
 *
 * const [ours, theirs] = [generateKeyPair(), generateKeyPair()];
 * const left = await open(ours.privateKey);
 * const right = await open(theirs.privateKey);
 * console.log(`left is ${formatKey(ours.publicKey)}`);
 *
 * // Each side knows the public key of the other; one of them also knows where the other is.
 * const peer = { isRemoval: false, isUpdateOnly: false, replaceAllowedIps: true };
 * const from = (text: string) => [{ ...parseIpPrefix(text)!, isRemoval: false }];
 * const endpoint = Endpoint.from(Uint8Array.of(127, 0, 0, 1), right.tunnel.state.listenPort);
 * const toRight = { ...peer, publicKey: theirs.publicKey, endpoint, allowedIps: from('10.0.0.2/32') };
 * const toLeft = { ...peer, publicKey: ours.publicKey, allowedIps: from('10.0.0.1/32') };
 * await left.tunnel.apply({ replacePeers: false, peers: [toRight] });
 * await right.tunnel.apply({ replacePeers: false, peers: [toLeft] });
 *
 * // An IPv4 header without a payload, from 10.0.0.1 to 10.0.0.2.
 * const packet = Uint8Array.of(0x45, 0, 0, 20, 0, 0, 0, 0, 64, 59, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2);
 * right.tun.onPacket = (arrived) => {
 *   console.log(`${arrived.length} bytes came through the tunnel`);
 *   left.tunnel.close();
 *   right.tunnel.close();
 * };
 * left.tun.inject(packet);
 * ```
 *
 * With the addon, `nativeCrypto`, `NativeAead` and `NativeSocket` take the places of `NodeCrypto`, `JsAead` and
 * `DgramSocket`, and are several times as fast. Whoever needs another socket or another source of packets implements
 * `DatagramSocket` or `Tun`.
 *
 * `wiretype/config` reads and changes configuration files. `wiretype/sim` is a network on virtual time for tests.
 * `wiretype/engine` has the parts behind `Tunnel`; they may change with any version.
 */
export type { Addon } from './addon/interface.js';
export { AddonMissingError, loadAddon } from './addon/load.js';
export { formatIpAddress, formatIpPrefix, parseIpAddress, parseIpPrefix } from './control/ip-text.js';
export { formatKey, parseKey } from './control/key-text.js';
export type { AllowedIpChange, DeviceChange, IpPrefix, PeerChange } from './core/configuration.js';
export type { DeviceEvent, DeviceEventKind } from './core/device-events.js';
export { type ErrorCode, WireGuardError } from './core/errors.js';
export { VERDICT_NAMES, Verdict } from './core/packets/verdict.js';
export type { AeadStage, Crypto, Environment } from './core/ports.js';
export type { ConfiguredPeer, PeerView, Roaming } from './core/session/peer-view.js';
export { JsAead } from './crypto/js-aead.js';
export { generateKeyPair, type KeyPair, publicKeyOf } from './crypto/key-pair.js';
export { NativeAead } from './crypto/native-aead.js';
export { nativeCrypto } from './crypto/native-crypto.js';
export { NodeCrypto } from './crypto/node-crypto.js';
export type { Clock, ScheduledCall } from './host/clock.js';
export type { DatagramSocket, DatagramSocketStats } from './host/datagram-socket.js';
export { DgramSocket, type DgramSocketOptions } from './host/dgram-socket.js';
export { MemoryNetwork, type MemorySocket } from './host/memory/socket.js';
export { MemoryTun } from './host/memory/tun.js';
export { NativeSocket, type NativeSocketOptions } from './host/native-socket.js';
export { nodeEnvironment } from './host/node-environment.js';
export { SystemClock } from './host/system-clock.js';
export type { Tun } from './host/tun.js';
export {
  type OpenSocket,
  type PeerExplanation,
  Tunnel,
  type TunnelExplanation,
  type TunnelOptions,
  type TunnelState,
} from './host/tunnel.js';
export type { AgentEvent } from './mesh/agent/agent-options.js';
export type { AgentPeerStatus, AgentStatus } from './mesh/agent/agent-status.js';
export { type MeshNode, type OpenMeshOptions, openMesh } from './mesh/agent/open-mesh.js';
export { ERROR_CODES } from './rootless/error-codes.js';
export { type OpenTunnelOptions, openTunnel } from './rootless/open-tunnel.js';
export type { PingOptions, PingReply } from './rootless/ping.js';
export type { PortForward } from './rootless/port-forward.js';
export type { TunnelSocketOptions } from './rootless/socket-options.js';
export type { TunnelAgent, TunnelHttpsAgent } from './rootless/tunnel-agent.js';
export type { PeerConfig, TunnelConfig } from './rootless/tunnel-config.js';
export type { PeerStatus, TunnelConnectOptions, TunnelHost, TunnelStatus } from './rootless/tunnel-host.js';
export type { TunnelResolver } from './rootless/tunnel-resolver.js';
export type { TunnelServer, TunnelServerOptions } from './rootless/tunnel-server.js';
export type { TunnelSocket } from './rootless/tunnel-socket.js';
export type { TunnelUdpSocket } from './rootless/tunnel-udp-socket.js';
export { Endpoint, type IpFamily } from './wire/endpoint.js';
