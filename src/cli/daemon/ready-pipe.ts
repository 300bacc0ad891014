import { closeSync, fstatSync, writeSync } from 'node:fs';
import { isSystemError } from '../../control/system-error.js';
import { WireGuardError } from '../../core/errors.js';
import { READY_DESCRIPTOR_VARIABLE } from './options.js';

/** The message of a daemon that is ready; every other message is an error for the user. */
export const READY = 'ready\n';

/** The child's end of the pipe on which the parent waits. It carries one message. */
export class ReadyPipe {
  #descriptor: number | undefined;

  /** @param descriptor `undefined`: no parent waits. @throws {WireGuardError} ERR_USAGE if it is no pipe. */
  constructor(descriptor: number | undefined) {
    if (descriptor !== undefined && !isPipe(descriptor))
      throw new WireGuardError('ERR_USAGE', `${READY_DESCRIPTOR_VARIABLE} is not a pipe`);
    this.#descriptor = descriptor;
  }

  /** Returns whether the parent is still waiting. */
  get isOpen(): boolean {
    return this.#descriptor !== undefined;
  }

  ready(): void {
    this.#say(READY);
  }

  /** Reports a failure. @param message The text that the parent shows on its standard error. */
  failed(message: string): void {
    this.#say(message);
  }

  #say(text: string): void {
    if (this.#descriptor === undefined) return;
    const descriptor = this.#descriptor;
    this.#descriptor = undefined;
    try {
      writeSync(descriptor, text);
      closeSync(descriptor);
    } catch (error) {
      if (!isSystemError(error)) throw error; // the parent is gone: the tunnel stays
    }
  }
}

function isPipe(descriptor: number): boolean {
  try {
    const stat = fstatSync(descriptor);
    return stat.isFIFO() || stat.isSocket();
  } catch {
    return false;
  }
}
