/** The surroundings of the stack. Time comes in with each call. */
export interface NetstackEnvironment {
  /** Fills `out` with random bytes that nobody can guess. */
  random(out: Uint8Array): void;
  /**
   * A keyed hash whose key only this stack knows, such as BLAKE2s of the secret and the data.
   *
   * @returns An int32 of its output.
   */
  keyedHash(data: Uint8Array): number;
}
