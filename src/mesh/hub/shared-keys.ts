/** A host that moves is at each address once, but for two that it goes back and forth between now and then. */
const RETURNS = 4;
const WITHIN_MS = 300_000;
const REMEMBERED = 4;

interface Moves {
  /** Latest last. */
  readonly addresses: string[];
  /** When it came back to an address that it had left. */
  readonly returnsMs: number[];
}

/**
 * Notices a key that two hosts use: a copied state folder, or a cloned disk. The address of the node then goes back and forth,
 * as each of them speaks. It is noticed, and not hindered: the hub cannot know which one is the right one.
 */
export class SharedKeys {
  readonly #moves = new Map<string, Moves>();

  /** Takes the address that a node has now. @returns Whether this is what first shows that two hosts use its key. */
  moved(id: string, address: string, nowMs: number): boolean {
    const moves = this.#moves.get(id) ?? { addresses: [], returnsMs: [] };
    this.#moves.set(id, moves);
    const at = moves.addresses.indexOf(address);
    if (at >= 0 && at === moves.addresses.length - 1) return false;
    const wasShared = this.isShared(id, nowMs);
    if (at >= 0) {
      moves.addresses.splice(at, 1);
      moves.returnsMs.push(nowMs);
      if (moves.returnsMs.length > RETURNS) moves.returnsMs.shift();
    }
    moves.addresses.push(address);
    if (moves.addresses.length > REMEMBERED) moves.addresses.shift();
    return !wasShared && this.isShared(id, nowMs);
  }

  isShared(id: string, nowMs: number): boolean {
    const returns = this.#moves.get(id)?.returnsMs ?? [];
    return returns.length === RETURNS && nowMs - returns[0]! < WITHIN_MS;
  }

  forget(id: string): void {
    this.#moves.delete(id);
  }
}
