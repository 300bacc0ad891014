/** Runs jobs one at a time, in the order in which they were handed in. */
export class SerialQueue {
  /** Settles when the last job that was handed in is done. */
  #last: Promise<unknown> = Promise.resolve();

  /** @returns What the job returns. A job that fails does not hold up those behind it. */
  run<T>(job: () => T | Promise<T>): Promise<T> {
    const done = this.#last.then(job);
    this.#last = done.catch(() => {}); // the caller sees the error
    return done;
  }
}
