/**
 * The start of a line whose end has not arrived. The line may hold a secret: `clear` wipes it.
 *
 * Only the start of a line longer than `maxBytes` is kept.
 */
export class HeldLine {
  readonly bytes: Buffer;
  /** Bytes that are kept. */
  length = 0;
  isTooLong = false;

  constructor(maxBytes: number) {
    this.bytes = Buffer.alloc(maxBytes);
  }

  append(chunk: Buffer, start: number, end: number): void {
    const room = this.bytes.length - this.length;
    this.isTooLong ||= end - start > room;
    this.length += chunk.copy(this.bytes, this.length, start, Math.min(end, start + room));
  }

  clear(): void {
    this.bytes.fill(0, 0, this.length);
    this.length = 0;
    this.isTooLong = false;
  }
}
