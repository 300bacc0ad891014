import { printable } from '../../control/config/secret-text.js';
import { parseKey } from '../../control/key-text.js';
import type { RunningTunnel } from '../../proxy/tunnels/tunnel-set.js';
import type { PeerStatus } from '../../rootless/tunnel-host.js';
import type { InterfaceReading } from '../device/device-metrics.js';
import type { WgPeer } from '../wg/wg-device.js';

/** Reads a tunnel as `wiretype metrics` reads an interface, so that both have the same metrics. */
export function readTunnel({ config, host }: RunningTunnel): InterfaceReading {
  const { listenPort, peers } = host.status();
  const names = config.document.peers.flatMap(({ publicKeyText, name }) =>
    name === undefined ? [] : [[publicKeyText, printable(name)] as const],
  );
  return {
    name: config.name,
    device: { name: config.name, privateKey: undefined, listenPort, fwmark: 0, peers: peers.map(peerOf) },
    names: new Map(names),
    explanation: undefined,
  };
}

function peerOf({ publicKey, allowedIps, lastHandshake, receivedBytes, sentBytes }: PeerStatus): WgPeer {
  return {
    publicKey: parseKey(publicKey, 'key'),
    presharedKey: undefined,
    endpoint: undefined,
    allowedIps,
    lastHandshakeSeconds: BigInt(Math.floor((lastHandshake?.getTime() ?? 0) / 1_000)),
    lastHandshakeNanoseconds: 0n,
    rxBytes: BigInt(receivedBytes),
    txBytes: BigInt(sentBytes),
    persistentKeepaliveSeconds: 0,
  };
}
