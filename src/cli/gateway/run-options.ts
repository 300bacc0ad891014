import { WireGuardError } from '../../core/errors.js';
import { parseEndpointOption, parseOpening, parsePageAddress, parsePortOption, parseProxy } from './gateway-options.js';
import type { GatewayRun } from './run-gateway.js';

/** The options that a gateway and a hub share, as they were written. */
interface RunValues {
  readonly endpoint?: string | undefined;
  readonly port?: string | undefined;
  readonly page?: readonly string[] | undefined;
  readonly 'host-name'?: readonly string[] | undefined;
  readonly allow?: readonly string[] | undefined;
  readonly 'trusted-proxy'?: readonly string[] | undefined;
  readonly 'tls-cert'?: string | undefined;
  readonly 'tls-key'?: string | undefined;
  readonly tun?: boolean | undefined;
}

/**
 * Reads the options that a gateway and a hub share.
 *
 * @param page Where the page is without an option.
 * @throws {WireGuardError} ERR_USAGE, ERR_VALUE
 */
export function readRunOptions(values: RunValues, page: GatewayRun['pages'][number]): Omit<GatewayRun, 'folder'> {
  const {
    endpoint,
    port,
    page: pages,
    'host-name': hostNames = [],
    allow = [],
    'trusted-proxy': proxies = [],
  } = values;
  const { 'tls-cert': cert, 'tls-key': key } = values;
  if ((cert === undefined) !== (key === undefined))
    throw new WireGuardError('ERR_USAGE', '--tls-cert and --tls-key belong together, and one is missing');
  return {
    pages: pages === undefined ? [page] : pages.map(parsePageAddress),
    hostNames,
    openings: allow.map(parseOpening),
    trustedProxies: proxies.map(parseProxy),
    ...(endpoint === undefined ? {} : { endpoint: parseEndpointOption(endpoint) }),
    ...(port === undefined ? {} : { port: parsePortOption(port) }),
    ...(cert === undefined || key === undefined ? {} : { tls: { cert, key } }),
    ...(values.tun === true ? { uplink: 'tun' as const } : {}),
  };
}
