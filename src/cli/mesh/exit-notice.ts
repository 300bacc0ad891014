import type { ExitStatus } from '../../mesh/agent/agent-status.js';

/** Says by whom everything leaves, or that nothing does, and what helps. */
export function exitText({ node, isKnown, routes }: ExitStatus): string {
  const [v4, v6] = [routes.includes('0.0.0.0/0'), routes.includes('::/0')];
  if (v4 && v6) return `Everything else leaves by ${node}.`;
  if (v4) return `Everything else leaves by ${node}, but for IPv6, which does not leave: it offers no exit for that.`;
  if (v6) return `Everything else leaves by ${node}, but for IPv4, which does not leave: it offers no exit for that.`;
  const nothing = 'nothing leaves this host but to the local network';
  if (!isKnown) return `${node} is not in the network: ${nothing}. At the hub, wiretype mesh nodes shows who is.`;
  return `${node} is not approved as an exit: ${nothing}. At the hub: wiretype mesh approve ${node}`;
}

/** Says on the terminal by whom everything leaves, whenever that changes: nobody is to believe in an exit that is not used. */
export class ExitNotice {
  readonly #say: (line: string) => void;
  #said: string | undefined;

  constructor(say: (line: string) => void) {
    this.#say = say;
  }

  /** @param exit Absent: no exit was chosen, and nothing is said. */
  note(exit: ExitStatus | undefined): void {
    if (exit === undefined) return;
    const text = exitText(exit);
    if (text !== this.#said) this.#say(text);
    this.#said = text;
  }
}
