import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';

/** A switch of the kernel that is to be turned, if it has the value `from`. */
export interface Switch {
  /** A file below /proc/sys. */
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

/** Old values by file, in the order in which they were turned. */
type OldValues = readonly (readonly [file: string, value: string])[];

/**
 * Switches of the kernel that are turned back at the end, also those that a program turned that was killed.
 *
 * The old values are in a file before the first switch is turned; the file is gone with the machine's next start, as the values
 * are.
 */
export class KernelSwitches {
  readonly #record: string;
  readonly #old: OldValues;

  /** Turns switches. @throws {Error} One cannot be turned; all are as they were then. */
  static turn(switches: readonly Switch[], record: string): KernelSwitches {
    const kept = new Map(readRecord(record));
    const turned = switches.filter(({ file, from }) => readValue(file) === from);
    const old = [...kept, ...turned.map(({ file, from }) => [file, from] as const).filter(([file]) => !kept.has(file))];
    const made = new KernelSwitches(record, old);
    try {
      if (old.length > 0) writeFileSync(record, JSON.stringify(old), { mode: 0o600 });
      for (const { file, to } of turned) writeFileSync(file, to);
      return made;
    } catch (error) {
      made.turnBack();
      throw error;
    }
  }

  private constructor(record: string, old: OldValues) {
    this.#record = record;
    this.#old = old;
  }

  /** Turns all switches back. One that cannot be written any more, as of an interface that is gone, is left. */
  turnBack(): void {
    for (const [file, value] of this.#old.toReversed())
      try {
        if (readValue(file) !== value) writeFileSync(file, value);
      } catch {
        // Nothing is left to be turned back there.
      }
    rmSync(this.#record, { force: true });
  }
}

function readValue(file: string): string {
  return readFileSync(file, 'utf8').trim();
}

/** @returns Nothing for a record that is damaged. */
function readRecord(record: string): OldValues {
  if (!existsSync(record)) return [];
  try {
    const parsed: unknown = JSON.parse(readFileSync(record, 'utf8'));
    return Array.isArray(parsed) ? parsed.filter(isOldValue) : [];
  } catch {
    return []; // it was cut off, before any switch was turned
  }
}

function isOldValue(entry: unknown): entry is [string, string] {
  return Array.isArray(entry) && entry.length === 2 && entry.every((part) => typeof part === 'string');
}
