import type { IpFamily } from '../../wire/endpoint.js';
import type { DnsBackendName } from './dns/dns-settings.js';

/** How far the commands of a hook have come. */
export type HookState = 'begun' | 'done';

/**
 * What was done to the host for a tunnel, as far as the interface does not take it along when it goes.
 *
 * Written before it is done, so that a tunnel whose daemon or whose setup died can still be cleaned up after.
 */
export interface TunnelRecord {
  /** Routing table of the diverted traffic, and mark of the tunnel's datagrams. */
  table?: number;
  /** The mark was ours to choose. */
  hasChosenMark?: boolean;
  /** The families whose traffic is diverted. */
  diverted?: IpFamily[];
  /** The families in which its datagrams have a rule to leave beside another tunnel. */
  bypassing?: IpFamily[];
  /** How far the commands of the way up have come; absent for an interface that another program has set up. */
  hooks?: { readonly PreUp?: HookState; readonly PostUp?: HookState };
  dns?: DnsBackendName;
  /** What is set, in one line, to tell whether it has changed. */
  dnsText?: string;
  /** The addresses of the file. */
  addresses?: string[];
  /** The MTU that was found out, in bytes, and what it was found out for. */
  foundMtu?: { readonly bytes: number; readonly inputs: string };
  /** Routes that were added, and the table they are in; absent: the main table. */
  routes?: string[];
  routeTable?: string;
  /** The endpoints of the file, by public key: tells an endpoint that was edited from one that roamed. */
  endpoints?: Readonly<Record<string, string>>;
  /** The addresses that were found for names of the file, by public key: tells them from endpoints that were set by hand. */
  lookedUp?: Readonly<Record<string, string>>;
}
