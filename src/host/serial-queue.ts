/** Runs jobs one at a time, in the order of submission. */
export class SerialQueue {
  /** Settles when the last submitted job is done. */
  #last: Promise<unknown> = Promise.resolve();

  /** @returns The result of the job. A job that fails does not hold up later jobs. */
  run<T>(job: () => T | Promise<T>): Promise<T> {
    const done = this.#last.then(job);
    this.#last = done.catch(() => {}); // the caller sees the error
    return done;
  }
}
