import type { DeviceState, PeerState } from '../../control/device-control.js';
import { formatEndpoint } from '../../control/endpoint-text.js';
import { formatIpPrefix } from '../../control/ip-text.js';
import { formatKey, formatShortKey } from '../../control/key-text.js';
import { SystemZoneNames } from '../../control/zone-names.js';
import { PLAIN } from '../wg/palette.js';
import { formatAgo, formatBytes } from '../wg/show-units.js';
import { formatBitRate } from './bit-rate.js';
import type { DemoHost } from './demo-host.js';

interface Sample {
  readonly atMs: number;
  readonly rxBytes: number;
  readonly txBytes: number;
}

/** The growth of a peer's counters since the last look, in bytes per second. */
export interface Rates {
  readonly rx: number;
  readonly tx: number;
}

/** Shows the device of one host again and again, with rates. */
export class DeviceView {
  readonly #host: DemoHost;
  #last: Sample | undefined;

  constructor(host: DemoHost) {
    this.#host = host;
  }

  /** @param isShort Writes one line in place of the form of `wg show`. */
  async lines(isShort: boolean): Promise<string[]> {
    const state = await this.#host.control.get();
    state.privateKey?.fill(0);
    const [peer] = state.peers;
    if (peer === undefined) return [`${this.#host.title}: no peer`];

    const rates = this.#rates(peer);
    return isShort ? [shortLine(this.#host, peer, rates)] : longLines(this.#host, state, peer, rates);
  }

  #rates({ rxBytes, txBytes }: PeerState): Rates {
    const now: Sample = { atMs: performance.now(), rxBytes, txBytes };
    const last = this.#last ?? now;
    this.#last = now;
    const seconds = Math.max((now.atMs - last.atMs) / 1_000, 0.001);
    return { rx: (rxBytes - last.rxBytes) / seconds, tx: (txBytes - last.txBytes) / seconds };
  }
}

function shortLine({ title }: DemoHost, peer: PeerState, { rx, tx }: Rates): string {
  const traffic = `${bytes(peer.rxBytes)} received (${formatBitRate(rx)}), ${bytes(peer.txBytes)} sent (${formatBitRate(tx)})`;
  return `${title.padEnd(5)}  peer ${formatShortKey(peer.publicKey)}  handshake ${ago(peer)}  ${traffic}`;
}

function longLines(
  { title, interfaceName }: DemoHost,
  state: DeviceState,
  peer: PeerState,
  { rx, tx }: Rates,
): string[] {
  const endpoint = peer.endpoint === undefined ? '(none)' : formatEndpoint(peer.endpoint, new SystemZoneNames());
  return [
    `${title}`,
    `  interface: ${interfaceName}, listening port ${state.listenPort}`,
    `  peer: ${formatKey(peer.publicKey)}`,
    `    endpoint: ${endpoint}`,
    `    allowed ips: ${[...peer.allowedIps].map(formatIpPrefix).join(', ')}`,
    `    latest handshake: ${ago(peer)}`,
    `    transfer: ${bytes(peer.rxBytes)} received, ${bytes(peer.txBytes)} sent`,
    `    rate: ${formatBitRate(rx)} received, ${formatBitRate(tx)} sent`,
    '',
  ];
}

function bytes(count: number): string {
  return formatBytes(BigInt(Math.round(count)), PLAIN);
}

function ago({ lastHandshakeUnixMs }: PeerState): string {
  if (lastHandshakeUnixMs === 0) return 'never';
  return formatAgo(BigInt(Math.floor(lastHandshakeUnixMs / 1_000)), BigInt(Math.floor(Date.now() / 1_000)), PLAIN);
}
