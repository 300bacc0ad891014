import type { ClientRequest, ClientRequestArgs } from 'node:http';
import { connect, isIP, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import { HttpsProxyAgent } from 'https-proxy-agent';

/** An address of a host, and the descriptor of a socket that connects to it; `net.connect` takes both. */
export interface Place {
  readonly host: string;
  readonly fd: number;
}

/** Finds the place of a host by its name or address, for one connection. */
export type FindPlace = (host: string) => Promise<Place>;

type OnCreated = (error: Error | null, socket: Duplex) => void;

/** Returns what `http.request` calls for a connection, with TLS on top for `wss`. */
export function placedConnection(
  find: FindPlace,
  isSecure: boolean,
): (options: ClientRequestArgs, onCreated: OnCreated) => undefined {
  return (options, onCreated) => {
    const host = withoutBrackets(options.host ?? '');
    find(host).then(
      (place) => {
        const port = Number(options.port);
        const socket = connect({
          ...place,
          port,
          ...(options.timeout === undefined ? {} : { timeout: options.timeout }),
        });
        const servername = isIP(host) === 0 ? host : '';
        onCreated(null, isSecure ? connectTls({ servername, host, port, socket }) : socket);
      },
      (error: Error) => onCreated(error, undefined as never),
    );
  };
}

/** Goes through a proxy, and connects to that at a place. It serves one connection. */
export class PlacedProxyAgent extends HttpsProxyAgent<string> {
  readonly #find: FindPlace;

  constructor(proxy: URL, find: FindPlace) {
    super(proxy);
    this.#find = find;
  }

  override async connect(
    request: ClientRequest,
    options: Parameters<HttpsProxyAgent<string>['connect']>[1],
  ): Promise<Socket> {
    const { host = '', port = 80 } = this.connectOpts;
    const place = await this.#find(host);
    this.connectOpts =
      this.proxy.protocol === 'https:'
        ? { ...this.connectOpts, socket: connect({ ...place, port }) }
        : { ...this.connectOpts, ...place };
    return await super.connect(request, options);
  }
}

/** Takes an IPv6 address out of the brackets that it has in a URL. */
export function withoutBrackets(host: string): string {
  return host.replace(/^\[|\]$/g, '');
}
