import { closeSync, openSync, readFileSync, readSync } from 'node:fs';

const CHUNK_BYTES = 16 * 1024 * 1024;
/** Chunks overlap, so that a needle across the end of a chunk is found in the previous chunk. */
const OVERLAP_BYTES = 64;
const WORD_BYTES = 4;

/** One stretch of the memory of a process that can be read and written. */
interface Mapping {
  readonly start: number;
  readonly end: number;
  readonly name: string;
}

/** Where something was found, for the message of a test. */
export interface Finding {
  readonly what: string;
  readonly mapping: string;
  readonly address: string;
}

/**
 * Looks for each needle, of 16 bytes or more, at every address of all memory of another process.
 *
 * Memory is read in words. Wherever a needle lies, one of its first four bytes begins a word: the four words that begin
 * there lead to the needles worth a comparison.
 */
export class MemoryScan {
  /** Whether a word that ends with these 16 bits begins a needle: rules out nearly all memory at once. */
  readonly #isCandidate = new Uint8Array(0x1_0000);
  readonly #needlesByWord = new Map<
    number,
    { readonly what: string; readonly needle: Buffer; readonly at: number }[]
  >();

  constructor(needles: ReadonlyMap<string, Uint8Array>) {
    for (const [what, bytes] of needles) {
      const needle = Buffer.from(bytes);
      for (let at = 0; at < WORD_BYTES; at++) this.#addWord(needle.readUInt32LE(at), { what, needle, at });
    }
  }

  of(pid: number): Finding[] {
    const findings: Finding[] = [];
    const descriptor = openSync(`/proc/${pid}/mem`, 'r');
    try {
      for (const mapping of writableMappings(pid))
        for (let at = mapping.start; at < mapping.end; at += CHUNK_BYTES) {
          const chunk = readChunk(descriptor, at, Math.min(CHUNK_BYTES + OVERLAP_BYTES, mapping.end - at));
          if (chunk !== undefined) this.#scanChunk(chunk, at, mapping, findings);
        }
    } finally {
      closeSync(descriptor);
    }
    return findings;
  }

  #addWord(word: number, entry: { readonly what: string; readonly needle: Buffer; readonly at: number }): void {
    this.#isCandidate[word & 0xffff] = 1;
    this.#needlesByWord.set(word, [...(this.#needlesByWord.get(word) ?? []), entry]);
  }

  #scanChunk(chunk: Buffer, address: number, mapping: Mapping, findings: Finding[]): void {
    const words = new Uint32Array(chunk.buffer, 0, Math.floor(chunk.length / WORD_BYTES));
    for (let i = 0; i < words.length; i++) {
      if (this.#isCandidate[words[i]! & 0xffff] === 0) continue;
      for (const { what, needle, at } of this.#needlesByWord.get(words[i]!) ?? []) {
        const start = i * WORD_BYTES - at;
        if (start < 0 || needle.compare(chunk, start, start + needle.length) !== 0) continue;
        findings.push({ what, mapping: mapping.name, address: (address + start).toString(16) });
      }
    }
  }
}

function writableMappings(pid: number): Mapping[] {
  return readFileSync(`/proc/${pid}/maps`, 'latin1')
    .split('\n')
    .map((line) => /^([0-9a-f]+)-([0-9a-f]+) rw..\s+\S+\s+\S+\s+\S+\s*(.*)$/.exec(line))
    .filter((match) => match !== null)
    .map(([, start = '', end = '', name = '']) => ({
      start: Number.parseInt(start, 16),
      end: Number.parseInt(end, 16),
      name: name === '' ? 'anonymous' : name,
    }));
}

/** `undefined` for memory that the kernel does not give out. */
function readChunk(descriptor: number, at: number, lengthBytes: number): Buffer | undefined {
  const chunk = Buffer.allocUnsafeSlow(lengthBytes);
  try {
    return chunk.subarray(0, readSync(descriptor, chunk, 0, lengthBytes, at));
  } catch {
    return undefined;
  }
}
