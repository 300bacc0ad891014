import type { IpFamily } from '../../wire/endpoint.js';
import type { DnsBackendName } from './dns/dns-settings.js';

/** The progress of the commands of a hook. */
export type HookState = 'begun' | 'done';

/**
 * The changes to the host for a tunnel that do not disappear with its interface.
 *
 * Each change is recorded before it is made, so that it can be undone even if the daemon or the setup died.
 */
export interface TunnelRecord {
  /** Routing table of the diverted traffic, and mark of the tunnel's datagrams. */
  table?: number;
  /** Whether we chose the mark. */
  hasChosenMark?: boolean;
  /** The families whose traffic is diverted. */
  diverted?: IpFamily[];
  /** The families in which a rule lets its datagrams bypass another tunnel. */
  bypassing?: IpFamily[];
  /** The progress of the hooks of `up`; absent for an interface that another program has set up. */
  hooks?: { readonly PreUp?: HookState; readonly PostUp?: HookState };
  dns?: DnsBackendName;
  /** The settings in one line, for detecting changes. */
  dnsText?: string;
  /** The addresses of the file. */
  addresses?: string[];
  /** The MTU that was found, in bytes, and the inputs of the search. */
  foundMtu?: { readonly bytes: number; readonly inputs: string };
  /** Routes that were added, and their table; absent: the main table. */
  routes?: string[];
  routeTable?: string;
  /** The endpoints of the file, by public key: distinguishes an edited endpoint from an endpoint that roamed. */
  endpoints?: Readonly<Record<string, string>>;
  /** The addresses of names in the file, by public key: distinguishes them from endpoints that were set by hand. */
  lookedUp?: Readonly<Record<string, string>>;
}
