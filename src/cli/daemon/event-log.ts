import { formatEndpoint } from '../../control/endpoint-text.js';
import { formatShortKey } from '../../control/key-text.js';
import { SystemZoneNames } from '../../control/zone-names.js';
import type { DeviceEvent, DeviceEventKind } from '../../core/device-events.js';
import { VERDICT_NAMES } from '../../core/packets/verdict.js';
import type { Tunnel } from '../../host/tunnel.js';
import type { Log } from './log.js';

const WORDS: Readonly<Record<DeviceEventKind, string>> = {
  handshake: 'handshake completed',
  'gave-up': 'no answer, the handshake is given up',
  roamed: 'the endpoint is now',
  'session-ended': 'the session has ended',
  'under-load': 'under load: cookies are required',
};

/** Logs events of peers, and at each event the number of packets dropped since the last event. */
export async function logEvents(tunnel: Tunnel, log: Log): Promise<void> {
  let before = Float64Array.from(tunnel.counters.verdicts);
  for await (const event of tunnel.events) {
    log.debug(describe(event));
    const verdicts = Float64Array.from(tunnel.counters.verdicts);
    for (const [verdict, name] of VERDICT_NAMES.entries()) {
      const count = verdicts[verdict]! - before[verdict]!;
      if (count > 0 && name !== 'Pass') log.debug(`${count} packets or messages: ${name}`);
    }
    before = verdicts;
  }
}

function describe({ kind, peer }: DeviceEvent): string {
  if (peer === undefined) return WORDS[kind];
  const name = `peer ${formatShortKey(peer.publicKey)}`;
  const { endpoint } = peer;
  if (kind !== 'roamed' || endpoint === undefined) return `${name}: ${WORDS[kind]}`;
  return `${name}: ${WORDS[kind]} ${formatEndpoint(endpoint, new SystemZoneNames())}`;
}
