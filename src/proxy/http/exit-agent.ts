import { Agent, type ClientRequestArgs } from 'node:http';
import type { Duplex } from 'node:stream';

import type { Exit, ExitStream } from '../exit.js';
import type { Route } from '../rules/router.js';

const MAX_FREE_CONNECTIONS = 256;
/** A connection to an origin server without a request is closed after this time. */
const IDLE_MS = 30_000;

/** Options of a request that select its way, beside those of `http.request`. */
export interface ExitRequestArgs extends ClientRequestArgs {
  readonly route: Route;
  /** Connects to the route on behalf of the client. */
  readonly dial: (route: Route) => Promise<ExitStream>;
}

/**
 * Keeps connections to origin servers for further requests: one agent per exit.
 *
 * A connection is used again only for the same host, port and checked addresses, so that every request goes where the rules
 * sent it, also after a reload.
 */
export class ExitAgent extends Agent {
  /** @param isKept Whether a connection is used again. */
  constructor(isKept: boolean) {
    super({ keepAlive: isKept, maxFreeSockets: MAX_FREE_CONNECTIONS, timeout: IDLE_MS, scheduling: 'lifo' });
  }

  override getName(options: object): string {
    const { to } = (options as ExitRequestArgs).route;
    const addresses = to.addresses?.map(({ address }) => address).join() ?? '';
    return `${to.host} ${to.port} ${addresses}`;
  }

  override createConnection(options: object, callback?: (error: Error | null, stream: Duplex) => void): Duplex {
    const { route, dial } = options as ExitRequestArgs;
    dial(route).then(
      (stream) => callback!(null, stream),
      (error: Error) => {
        this.#forget(this.getName(options));
        callback!(error, undefined as unknown as Duplex);
      },
    );
    // The connection comes by the callback, which Node allows and its types do not.
    return undefined as unknown as Duplex;
  }

  /** Node keeps an empty list for every host that could not be connected to. */
  #forget(name: string): void {
    const lists = this.sockets as Record<string, unknown[] | undefined>;
    if (lists[name]?.length === 0) delete lists[name];
  }
}

/** The agents for the connections to origin servers, one for each exit, and one for connections that carry one request. */
export class OriginAgents {
  readonly single = new ExitAgent(false);
  readonly #kept = new WeakMap<Exit, ExitAgent>();

  kept(exit: Exit): ExitAgent {
    const known = this.#kept.get(exit);
    if (known !== undefined) return known;
    const agent = new ExitAgent(true);
    this.#kept.set(exit, agent);
    return agent;
  }
}
