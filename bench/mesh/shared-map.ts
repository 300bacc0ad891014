import type { NodeState } from '../../src/mesh/agent/node-state.js';
import type { MapEntry, MapMessage } from '../../src/mesh/map/messages.js';
import { fromBase64, type NodeRecord, problemOfRecord } from '../../src/mesh/records/node-record.js';

/**
 * The map of all agents of a process. A record is verified by the first of them that gets it, since a thousand maps of a thousand
 * records each are more than one process can verify in the place of a thousand hosts.
 */
export class SharedMap {
  readonly nodes = new Set<string>();
  readonly #networkId: Uint8Array;
  readonly #signingKey: Uint8Array;
  readonly #verified = new Map<string, string>();

  constructor({ networkId, signingKey }: Pick<NodeState, 'networkId' | 'signingKey'>) {
    this.#networkId = fromBase64(networkId);
    this.#signingKey = fromBase64(signingKey);
  }

  /** Takes in what the hub told an agent. @throws {Error} A record does not verify. */
  take({ put, del }: MapMessage): void {
    for (const entry of put) this.#put(entry);
    for (const node of del) this.nodes.delete(node);
  }

  #put({ record }: MapEntry): void {
    const { id, signature } = record;
    if (this.#verified.get(id) === signature) return;
    const check = { networkId: this.#networkId, signingKey: this.#signingKey, nowUnixMs: Date.now() };
    const problem = problemOfRecord(record as NodeRecord, check);
    if (problem !== undefined) throw new Error(`the record of ${record.name} is refused: ${problem}`);
    this.#verified.set(id, signature);
    this.nodes.add(id);
  }
}
