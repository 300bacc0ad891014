import type { GatewayService } from '../gateway/gateway-service.js';
import type { GatewayStore } from '../gateway/gateway-store.js';

/** What the HTTP interface of a gateway needs. */
export interface ServerParts {
  readonly gateway: GatewayService;
  readonly store: GatewayStore;
  /** Wall clock. */
  readonly nowUnixMs: () => number;
  /** Folder of the gateway's state, 0700. */
  readonly folder: string;
}
