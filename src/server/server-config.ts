import type { GatewayService } from '../gateway/gateway-service.js';
import type { GatewayStore } from '../gateway/gateway-store.js';
import type { MeshHub } from '../mesh/hub/mesh-hub.js';
import type { PeopleStore } from '../store/people-store.js';
import type { WebhookStore } from '../store/webhook-store.js';
import type { Attempts } from './auth/attempts.js';
import type { Oidc } from './auth/oidc.js';
import type { Challenges } from './auth/passkeys.js';
import type { Passwords } from './auth/passwords.js';
import type { HostInterfaces } from './host-interfaces.js';
import type { WebhookSender } from './webhooks/webhook-sender.js';

/** The parts that the operations of a gateway work with. */
export interface ServerParts {
  readonly gateway: GatewayService;
  readonly store: GatewayStore & PeopleStore & WebhookStore;
  readonly webhooks: WebhookSender;
  readonly passwords: Passwords;
  readonly attempts: Attempts;
  /** Challenges of passkeys that wait for their answers. */
  readonly challenges: Challenges;
  /** Absent: there is no OpenID provider. */
  readonly oidc?: Oidc | undefined;
  /** Absent: the gateway is no hub. */
  readonly hub?: MeshHub | undefined;
  /** Absent: they are not shown. */
  readonly interfaces?: HostInterfaces | undefined;
  /** Starts the gateway again with the state of a backup, which has been checked. Absent: it cannot. */
  readonly restore?: ((path: string) => void) | undefined;
  /** A folder for files that come and go, of mode 0700. */
  readonly folder?: string | undefined;
  /** Wall clock. */
  readonly nowUnixMs: () => number;
  readonly version: string;
  /** Takes lines for people, such as failed sign-ins for fail2ban. */
  readonly log: (line: string) => void;
}
