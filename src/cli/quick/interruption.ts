import { constants } from 'node:os';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Turns the signals that end the process into an abort signal that its work can check.
 *
 * The signals stay caught until `dispose`: a second Ctrl-C does not cut short the undoing of the work.
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

  /** Returns the exit status for the signal, as shells report it; `undefined` if there was none. */
  get status(): number | undefined {
    const { aborted, reason } = this.#controller.signal;
    return aborted ? 128 + constants.signals[reason as NodeJS.Signals] : undefined;
  }

  /** Lets signals end the process again. */
  dispose(): void {
    for (const signal of SIGNALS) process.off(signal, this.#handler);
  }
}
