import { createHash } from 'node:crypto';

import { openPortMapping, type PortMapping } from '../port-mapping/port-mapping.js';
import type { MeshAgent } from './mesh-agent.js';

const NONCE_BYTES = 12;

/** The port that the home router opens for an agent, where it does: one mapping for each network that the host comes to. */
export class RouterPort {
  readonly #agent: MeshAgent;
  readonly #nonce: Uint8Array;
  #mapping: PortMapping | undefined;
  #opening: Promise<void> = Promise.resolve();

  constructor(agent: MeshAgent) {
    const { id, networkId } = agent.state;
    this.#agent = agent;
    // The same after a restart: a router refuses to renew a mapping with another one (RFC 6887 §11.3).
    this.#nonce = createHash('sha256').update(`${networkId} ${id}`).digest().subarray(0, NONCE_BYTES);
  }

  /** Asks the router of the network that the host is in now. */
  async open(): Promise<void> {
    this.#opening = this.#opening.then(() => this.#reopen()).catch(() => {});
    await this.#opening;
  }

  async close(): Promise<void> {
    await this.#opening;
    await this.#mapping?.close();
  }

  async #reopen(): Promise<void> {
    await this.#mapping?.close();
    this.#agent.setPortMapping(undefined);
    this.#mapping = await openPortMapping({
      internalPort: this.#agent.tunnel.state.listenPort,
      nonce: this.#nonce,
      onChange: (mapping) => this.#agent.setPortMapping(mapping),
    });
  }
}
