import type { DeviceEvents } from './device-events.js';
import type { LinkView } from './link-state.js';
import type { Counters } from './packets/counters.js';
import type { Outbox } from './packets/outbox.js';
import type { Crypto, Environment } from './ports.js';
import type { AllowedIps } from './routing/allowed-ips.js';
import type { Peer } from './session/peer.js';
import type { Sessions } from './session/sessions.js';

/** The parts that the stages and the handshakes of one device share. Each of them takes the parts that it needs. */
export interface DeviceParts {
  readonly crypto: Crypto;
  readonly environment: Environment;
  readonly link: LinkView;
  readonly sessions: Sessions;
  readonly outbox: Outbox;
  readonly allowedIps: AllowedIps<Peer>;
  readonly counters: Counters;
  readonly events: DeviceEvents;
}
