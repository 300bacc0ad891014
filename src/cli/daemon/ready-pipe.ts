import { closeSync, writeSync } from 'node:fs';

/** What the daemon in the background says when it is ready; everything else is an error for the user. */
export const READY = 'ready\n';

/** The child's end of the pipe on which the parent waits. Says one thing, once. */
export class ReadyPipe {
  #descriptor: number | undefined;

  /** @param descriptor `undefined`: nobody waits. */
  constructor(descriptor: number | undefined) {
    this.#descriptor = descriptor;
  }

  /** Somebody waits still. */
  get isOpen(): boolean {
    return this.#descriptor !== undefined;
  }

  ready(): void {
    this.#say(READY);
  }

  /** @param message What the parent shows on its standard error. */
  failed(message: string): void {
    this.#say(message);
  }

  #say(text: string): void {
    if (this.#descriptor === undefined) return;
    const descriptor = this.#descriptor;
    this.#descriptor = undefined;
    writeSync(descriptor, text);
    closeSync(descriptor);
  }
}
