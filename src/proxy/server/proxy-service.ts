import type { Router } from '../rules/router.js';
import type { CredentialCheck } from './credential-check.js';
import type { ProxyCounters } from './proxy-counters.js';

/** The parts of a listener that serve its connections. A reload replaces router and credentials. */
export interface ProxyService {
  router: Router;
  /** Absent: everybody may use the listener. */
  credentials: CredentialCheck | undefined;
  readonly counters: ProxyCounters;
}
