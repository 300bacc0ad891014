import { type AgentOptions, Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { Duplex } from 'node:stream';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';

import type { ConnectOptions } from './connect-options.js';
import type { TunnelSocket } from './tunnel-socket.js';

type Connect = (options: ConnectOptions) => TunnelSocket;
type Created = (error: Error | null, socket: Duplex) => void;

/** The options that `http` and `https` hand to `createConnection`. */
type RequestOptions = ConnectOptions & ConnectionOptions;

/** An agent for `http` whose connections go through the tunnel. */
export class TunnelAgent extends HttpAgent {
  readonly #connect: Connect;

  constructor(connect: Connect, options: AgentOptions = {}) {
    super(options);
    this.#connect = connect;
  }

  // `net.Socket` is what Node declares; a stream with the same members is what it uses.
  override createConnection(options: object, callback?: Created): Duplex {
    const socket = this.#connect(endOf(options as RequestOptions));
    callback?.(null, socket);
    return socket;
  }
}

/** An agent for `https`: TLS is spoken through the tunnel. */
export class TunnelHttpsAgent extends HttpsAgent {
  readonly #connect: Connect;

  constructor(connect: Connect, options: AgentOptions = {}) {
    super(options);
    this.#connect = connect;
  }

  override createConnection(options: object, callback?: Created): Duplex {
    const secure = overTls(this.#connect(endOf(options as RequestOptions)), options as RequestOptions);
    callback?.(null, secure);
    return secure;
  }
}

/** The options of a request without its path, which is none of a socket. */
function endOf({ path: _, ...options }: RequestOptions & { path?: string | undefined }): ConnectOptions {
  return options;
}

/** Speaks TLS over a socket of the tunnel. */
export function overTls(socket: TunnelSocket, options: ConnectionOptions & { host?: string }): Duplex {
  const { servername, host } = options;
  const name = servername ?? host;
  const { path: _, ...rest } = options;
  return connectTls({ ...rest, socket, ...(name === undefined ? {} : { servername: name }) });
}
