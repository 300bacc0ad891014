import type { Endpoint } from '../../wire/endpoint.js';
import type { HubPath } from '../paths/hub-path.js';
import type { AgentSockets } from './agent-sockets.js';

/** The carrier stays open while messages go both ways. */
const LINGER_MS = 5_000;
/** A hub that is reached by its carrier answers a handshake sooner, if it knows the key. */
const ANSWER_MS = 15_000;

export interface HubCarrierOptions {
  readonly sockets: Pick<AgentSockets, 'carry'>;
  readonly hub: Pick<HubPath, 'isCarried' | 'setCarrier'>;
  readonly url: () => string | undefined;
  /** Sends to the hub at once, with a handshake where there is no session. */
  readonly greet: () => void;
  /** UDP is not answered: the hub may be elsewhere by now. */
  readonly onWanted: () => void;
  readonly isConnected: () => boolean;
  /** Authentic bytes from the hub until now. */
  readonly receivedBytes: () => number;
  readonly onUnknownKey: () => void;
}

/**
 * The carrier of an agent, which is open while UDP to the hub is not answered.
 *
 * It shows one more thing: a hub that takes the WebSocket and answers no handshake does not know the key of this node. By UDP
 * nothing tells it from a hub that is away, since WireGuard is silent to strangers.
 */
export class HubCarrier {
  readonly #options: HubCarrierOptions;
  #isKeyUnknown = false;
  #closing: NodeJS.Timeout | undefined;
  #waiting: NodeJS.Timeout | undefined;

  constructor(options: HubCarrierOptions) {
    this.#options = options;
  }

  /** Whether the hub is reached, and does not know the key of this node. */
  get isKeyUnknown(): boolean {
    return this.#isKeyUnknown && !this.#options.isConnected();
  }

  want(isWanted: boolean): void {
    const { sockets, hub, url, greet, onWanted } = this.#options;
    clearTimeout(this.#closing);
    if (isWanted) {
      sockets.carry(url(), (endpoint) => this.#changed(endpoint));
      onWanted();
      return;
    }
    greet();
    this.#closing = setTimeout(() => {
      if (!hub.isCarried) sockets.carry(undefined, () => {});
    }, LINGER_MS).unref();
  }

  close(): void {
    clearTimeout(this.#closing);
    clearTimeout(this.#waiting);
  }

  #changed(endpoint: Endpoint | undefined): void {
    const { hub, greet, receivedBytes } = this.#options;
    hub.setCarrier(endpoint);
    clearTimeout(this.#waiting);
    if (endpoint === undefined) return;
    greet();
    const before = receivedBytes();
    this.#waiting = setTimeout(() => this.#judge(receivedBytes() > before), ANSWER_MS).unref();
  }

  #judge(isAnswered: boolean): void {
    const wasKeyUnknown = this.#isKeyUnknown;
    this.#isKeyUnknown = !isAnswered && !this.#options.isConnected();
    if (this.#isKeyUnknown && !wasKeyUnknown) this.#options.onUnknownKey();
  }
}
