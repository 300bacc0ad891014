/** Says on the terminal by whom everything leaves, whenever that changes: nobody is to believe in an exit that is not used. */
export class ExitNotice {
  readonly #exitNode: string | undefined;
  readonly #say: (line: string) => void;
  #isUsed: boolean | undefined;

  /** @param exitNode Absent: no exit was chosen, and nothing is said. */
  constructor(exitNode: string | undefined, say: (line: string) => void) {
    this.#exitNode = exitNode;
    this.#say = say;
  }

  note(isUsed: boolean): void {
    if (this.#exitNode === undefined || isUsed === this.#isUsed) return;
    this.#isUsed = isUsed;
    this.#say(
      isUsed
        ? `Everything else leaves by ${this.#exitNode}.`
        : `${this.#exitNode} is no exit now: it is not in the network, or the hub has not approved it. Everything else leaves by this host.`,
    );
  }
}
