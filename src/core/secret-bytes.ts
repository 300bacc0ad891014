/**
 * Returns memory for a secret: zeros in a separate ArrayBuffer, which the caller must clear with `fill(0)`.
 *
 * A typed array of up to 64 bytes that is made in any other way lies inside of the JavaScript heap. The garbage collector
 * copies the array when it moves it, and so does the first call into native code that reads it; neither clears the old
 * bytes. An ArrayBuffer that was made first stays in its place, outside of the heap.
 */
export function secretBytes(lengthBytes: number): Uint8Array {
  return new Uint8Array(new ArrayBuffer(lengthBytes));
}

/** Returns a copy of a secret, in memory as from `secretBytes`. */
export function copySecret(secret: Uint8Array): Uint8Array {
  const copy = secretBytes(secret.length);
  copy.set(secret);
  return copy;
}
