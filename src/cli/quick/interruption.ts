import { constants } from 'node:os';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Turns the signals that ask the process to end into one that its work can look at.
 *
 * They stay caught until `dispose`: a second Ctrl-C does not cut short what undoes the work.
 */
export class Interruption {
  readonly #controller = new AbortController();
  readonly #handler = (signal: NodeJS.Signals) => this.#controller.abort(signal);

  constructor() {
    for (const signal of SIGNALS) process.on(signal, this.#handler);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** The exit status that tells of the signal, as shells write it; `undefined` if there was none. */
  get status(): number | undefined {
    const { aborted, reason } = this.#controller.signal;
    return aborted ? 128 + constants.signals[reason as NodeJS.Signals] : undefined;
  }

  /** Lets signals end the process again. */
  dispose(): void {
    for (const signal of SIGNALS) process.off(signal, this.#handler);
  }
}
