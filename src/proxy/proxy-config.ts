import type { ConfigDocument } from '../control/config/index.js';
import type { Destination } from './exit.js';
import type { Rule } from './rules/rule.js';

/** The work of a proxy: the files and the command line, put together and checked. */
export interface ProxyConfig {
  /** At least one. The first one carries what no rule sends elsewhere. */
  readonly tunnels: readonly ProxyTunnel[];
  /** The first rule that matches decides. */
  readonly rules: readonly Rule[];
  readonly listeners: readonly ProxyListener[];
  readonly forwards: readonly Forward[];
  /** Where `/readyz` and `/metrics` are served. Absent: nowhere. */
  readonly info?: Destination;
  /** Standard input and output are connected with this place. */
  readonly stdio?: Destination;
}

export interface ProxyTunnel {
  /** The word by which rules and forwards name it. */
  readonly name: string;
  /** A file for `wg-quick`, with keys and peers. */
  readonly document: ConfigDocument;
  /** Which addresses of a name are used. */
  readonly family: 'auto' | 'ipv4' | 'ipv6';
  /** Addresses whose answers to pings say that the tunnel is alive. */
  readonly checkAlive: readonly string[];
  readonly checkAliveSeconds: number;
}

/** A place on this host: a TCP or UDP port, or the path of a UNIX socket. */
export type ListenAddress = { readonly host: string; readonly port: number } | { readonly path: string };

export interface Credentials {
  readonly username: string;
  readonly password: string;
}

/** A port of this host on which programs ask for connections. */
export interface ProxyListener {
  /** `any` tells SOCKS5 from HTTP by the first byte. */
  readonly protocol: 'socks5' | 'http' | 'any';
  readonly at: ListenAddress;
  readonly credentials?: Credentials;
  /** PEM files that make an HTTP proxy an HTTPS proxy. */
  readonly certificate?: { readonly certFile: string; readonly keyFile: string };
}

/** A fixed way from one place to another. */
export interface Forward {
  /** `local`: listens on this host, connects inside of the tunnel (`ssh -L`). `remote`: the other way round (`ssh -R`). */
  readonly direction: 'local' | 'remote';
  readonly protocol: 'tcp' | 'udp';
  readonly from: ListenAddress;
  readonly to: ListenAddress;
  /** Name of the tunnel. Absent: as the rules say for `local`, the first tunnel for `remote`. */
  readonly tunnel?: string;
  /** UDP: a flow without datagrams ends after this time. */
  readonly idleSeconds?: number;
}
