/** An agent that has shaken hands has its control connection by then, even if it had to wait for its turn. */
const PATIENCE_MS = 15_000;
/** Handshakes that begin at once, and the pause until the next ones. */
const AT_ONCE = 20;
const PAUSE_MS = 100;

export interface AgentRemindersOptions {
  /** Tests whether a node is an agent without a control connection. */
  readonly isMissed: (id: string) => boolean;
  /** Begins a handshake with a node that has a session. */
  readonly renew: (id: string) => void;
  readonly nowUnixMs: () => number;
}

/**
 * Reminds agents that have a session with the hub, and no control connection.
 *
 * Such an agent may believe in a connection of which the hub has forgotten everything, since an idle agent tests none. A
 * handshake that comes too early for a renewal makes it test that. One reminder is enough, until it has been connected.
 */
export class AgentReminders {
  readonly #options: AgentRemindersOptions;
  /** When each is due, the earliest first. */
  readonly #dueUnixMs = new Map<string, number>();
  readonly #reminded = new Set<string>();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: AgentRemindersOptions) {
    this.#options = options;
  }

  /** A node has shaken hands. */
  heard(id: string): void {
    const { isMissed, nowUnixMs } = this.#options;
    if (!isMissed(id)) this.#reminded.delete(id);
    else if (!this.#reminded.has(id)) {
      this.#reminded.add(id);
      this.#dueUnixMs.set(id, nowUnixMs() + PATIENCE_MS);
      this.#arm(PATIENCE_MS);
    }
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#dueUnixMs.clear();
  }

  #arm(afterMs: number): void {
    this.#timer ??= setTimeout(() => this.#run(), afterMs).unref();
  }

  #run(): void {
    const { isMissed, renew, nowUnixMs } = this.#options;
    const now = nowUnixMs();
    this.#timer = undefined;
    let count = 0;
    for (const [id, dueUnixMs] of this.#dueUnixMs) {
      if (dueUnixMs > now || count === AT_ONCE) {
        this.#arm(Math.max(PAUSE_MS, dueUnixMs - now));
        break;
      }
      this.#dueUnixMs.delete(id);
      if (!isMissed(id)) continue;
      renew(id);
      count++;
    }
  }
}
