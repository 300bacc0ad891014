import { formatKey } from '../../control/key-text.js';
import type { ReceivedExplanation } from '../../control/uapi-explain-text.js';
import type { WgDevice, WgPeer } from '../wg/wg-device.js';
import type { Metric, MetricSample } from './exposition-text.js';
import type { PeerNames } from './peer-names.js';
import { handshakeAge, peerStatus } from './peer-status.js';

/** The state of an interface when metrics are read. */
export interface InterfaceReading {
  readonly name: string;
  /** Without secrets; `undefined`: nothing answers for the interface. */
  readonly device: WgDevice | undefined;
  readonly names: PeerNames;
  /** `undefined`: the daemon does not report what it dropped. */
  readonly explanation: ReceivedExplanation | undefined;
}

/**
 * Turns readings of interfaces into metrics. The three of transfer and handshakes have the names and labels of
 * prometheus_wireguard_exporter, so that dashboards made for it work.
 */
export function deviceMetrics(readings: readonly InterfaceReading[], unixTimeMs: number): Metric[] {
  const peers = readings.flatMap((reading) => (reading.device?.peers ?? []).map((peer) => ({ reading, peer })));
  const ofPeers = (value: (peer: WgPeer) => number | bigint): MetricSample[] =>
    peers.map(({ reading, peer }) => ({ labels: labelsOf(reading, peer), value: value(peer) }));
  const gauge = (name: string, help: string, samples: readonly MetricSample[]): Metric => {
    return { name, help, type: 'gauge', samples };
  };
  const counter = (name: string, help: string, samples: readonly MetricSample[]): Metric => {
    return { name, help, type: 'counter', samples };
  };
  const isOnline = ({ lastHandshakeSeconds }: WgPeer) =>
    Number(peerStatus(handshakeAge(lastHandshakeSeconds, unixTimeMs)) === 'online');
  return [
    gauge('wireguard_interface_up', '1 if a daemon answers for the interface.', readings.map(upSample)),
    gauge('wireguard_peers', 'Peers of the interface.', readings.flatMap(countSample)),
    counter(
      'wireguard_sent_bytes_total',
      'Bytes sent to the peer.',
      ofPeers(({ txBytes }) => txBytes),
    ),
    counter(
      'wireguard_received_bytes_total',
      'Bytes received from the peer.',
      ofPeers(({ rxBytes }) => rxBytes),
    ),
    gauge(
      'wireguard_latest_handshake_seconds',
      'Unix time of the last handshake; 0 if there was none.',
      ofPeers(({ lastHandshakeSeconds }) => lastHandshakeSeconds),
    ),
    gauge('wireguard_peer_online', '1 if the last handshake is at most 180 seconds old.', ofPeers(isOnline)),
    counter(
      'wireguard_dropped_packets_total',
      'Packets that wiretyped dropped on the interface, by reason.',
      readings.flatMap(dropSamples),
    ),
    counter(
      'wireguard_peer_dropped_packets_total',
      'Packets of the peer that wiretyped dropped, by reason.',
      readings.flatMap(peerDropSamples),
    ),
  ];
}

function upSample({ name, device }: InterfaceReading): MetricSample {
  return { labels: { interface: name }, value: device === undefined ? 0 : 1 };
}

function countSample({ name, device }: InterfaceReading): MetricSample[] {
  return device === undefined ? [] : [{ labels: { interface: name }, value: device.peers.length }];
}

function labelsOf({ name, names }: InterfaceReading, { publicKey, allowedIps }: WgPeer): Record<string, string> {
  const key = formatKey(publicKey);
  const friendlyName = names.get(key) ?? '';
  return { interface: name, public_key: key, allowed_ips: allowedIps.join(','), friendly_name: friendlyName };
}

function dropSamples({ name, explanation }: InterfaceReading): MetricSample[] {
  return [...(explanation?.drops ?? [])].map(([reason, value]) => ({ labels: { interface: name, reason }, value }));
}

function peerDropSamples({ name, names, explanation }: InterfaceReading): MetricSample[] {
  return (explanation?.peers ?? []).flatMap(({ publicKey, drops }) => {
    const key = formatKey(publicKey);
    const labels = { interface: name, public_key: key, friendly_name: names.get(key) ?? '' };
    return [...drops].map(([reason, value]) => ({ labels: { ...labels, reason }, value }));
  });
}
