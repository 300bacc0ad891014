import type { Endpoint } from '../../wire/endpoint.js';
import { AgentReminders } from './agent-reminders.js';
import { type EndpointFile, type HeardEndpoint, KnownEndpoints } from './known-endpoints.js';

/** Handshakes that begin at once, and the pause until the next ones: 5,000 nodes take half a minute of little work. */
const AT_ONCE = 20;
const PAUSE_MS = 100;

export interface HubGreetingsOptions {
  readonly file: EndpointFile;
  readonly relay: {
    /** Does nothing for a node that has spoken already. */
    greet(id: string, endpoint: Endpoint): void;
    renew(id: string): void;
    whereabouts(): Iterable<readonly [id: string, HeardEndpoint]>;
  };
  readonly isNode: (id: string) => boolean;
  /** Tests whether a node is an agent without a control connection. */
  readonly isMissed: (id: string) => boolean;
  readonly nowUnixMs: () => number;
}

/**
 * The greetings of a hub that was started again: it begins a handshake with each node of its last run, where that was, before the
 * node notices that the hub was away. An agent that it cannot find so, and that believes itself connected, is reminded.
 */
export class HubGreetings {
  readonly #relay: HubGreetingsOptions['relay'];
  readonly #known: KnownEndpoints;
  readonly #reminders: AgentReminders;
  readonly #waiting: (readonly [id: string, endpoint: Endpoint])[];
  #timer: NodeJS.Timeout | undefined;

  constructor({ relay, isMissed, ...options }: HubGreetingsOptions) {
    const { nowUnixMs } = options;
    this.#relay = relay;
    this.#reminders = new AgentReminders({ isMissed, renew: (id) => relay.renew(id), nowUnixMs });
    this.#known = new KnownEndpoints({ ...options, whereabouts: () => relay.whereabouts() });
    this.#waiting = this.#known.hints();
    this.#run();
  }

  /** A node was heard from. @param endpoint `undefined`: it is carried. */
  heard(id: string, endpoint: string | undefined): void {
    this.#known.heard(id, endpoint);
    this.#reminders.heard(id);
  }

  /** Writes down where nodes are. */
  async close(): Promise<void> {
    clearTimeout(this.#timer);
    this.#reminders.close();
    await this.#known.close();
  }

  #run(): void {
    for (const [id, endpoint] of this.#waiting.splice(0, AT_ONCE)) this.#relay.greet(id, endpoint);
    if (this.#waiting.length > 0) this.#timer = setTimeout(() => this.#run(), PAUSE_MS).unref();
  }
}
