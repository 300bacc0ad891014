import type { Forward, ListenAddress, ProxyListener } from '../../proxy/proxy-config.js';
import { formatListenAddress } from '../../proxy/server/listen-on.js';
import type { RunningTunnel } from '../../proxy/tunnels/tunnel-set.js';

const TITLES = { any: 'SOCKS5 and HTTP proxy', socks5: 'SOCKS5 proxy', http: 'HTTP proxy' } as const;

/** Writes the addresses that this host has inside of a tunnel. */
export function tunnelLine({ config, host }: RunningTunnel): string {
  return `${config.name}: this host is ${host.addresses.join(' and ')} inside of the tunnel`;
}

/** Writes where a proxy listens, and a line to try. @param at The address with the port that it got. */
export function listenerLines({ protocol, certificate, credentials }: ProxyListener, at: ListenAddress): string[] {
  const title = certificate === undefined ? TITLES[protocol] : 'HTTPS proxy';
  const password = credentials === undefined ? '' : `, for ${credentials.username} with a password`;
  const line = `${title} on ${formatListenAddress(at)}${password}`;
  if ('path' in at) return [line];
  const scheme = protocol !== 'http' ? 'socks5h' : certificate === undefined ? 'http' : 'https';
  const user = credentials === undefined ? '' : `${encodeURIComponent(credentials.username)}:PASSWORD@`;
  const host = at.host === '0.0.0.0' ? '127.0.0.1' : at.host === '::' ? '::1' : at.host;
  return [line, `    curl -x ${scheme}://${user}${formatListenAddress({ host, port: at.port })} http://HOST/`];
}

/** @param port The port that it got. */
export function forwardLine({ direction, protocol, from, to, tunnel }: Forward, port: number): string {
  const name = protocol === 'udp' ? 'UDP' : 'TCP';
  const target = formatListenAddress(to);
  if (direction === 'local') {
    const way = tunnel === undefined ? '' : ` (through ${tunnel})`;
    return `${name} ${formatListenAddress('path' in from ? from : { ...from, port })} leads to ${target}${way}`;
  }
  const host = 'path' in from ? from.path : from.host === '' ? `port ${port}` : formatListenAddress({ ...from, port });
  return `${name} ${host} inside of ${tunnel ?? 'the tunnel'} leads to ${target}`;
}
