/** A plain view of what `node:crypto` returned: the same memory, so that clearing it leaves no copy of a secret. */
export function bytesOf(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length);
}
