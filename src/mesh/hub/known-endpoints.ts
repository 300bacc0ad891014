import * as v from 'valibot';
import { NO_ZONES, parseEndpoint } from '../../control/endpoint-text.js';
import type { Endpoint } from '../../wire/endpoint.js';

/** A node that moved is written down by then. */
const SAVE_MS = 10_000;
/** Where nobody moves, the times are written down this often. */
const REFRESH_MS = 600_000;
/** Older ones say nothing: a NAT has given the port to somebody else. */
const MAX_AGE_MS = 3_600_000;
const MAX_ENTRIES = 20_000;

const Entry = v.strictObject({
  endpoint: v.pipe(v.string(), v.maxLength(64)),
  heardUnixMs: v.pipe(v.number(), v.integer()),
});
const File = v.strictObject({ nodes: v.pipe(v.record(v.string(), Entry), v.maxEntries(MAX_ENTRIES)) });

/** Where a node was heard from by UDP, and when. */
export type HeardEndpoint = v.InferOutput<typeof Entry>;

/** The place where endpoints outlive the hub. */
export interface EndpointFile {
  /** @returns `undefined`: there is none, or it cannot be read. */
  read(): string | undefined;
  write(text: string): Promise<void>;
}

export interface KnownEndpointsOptions {
  readonly file: EndpointFile;
  /** Reads where each node is now. */
  readonly whereabouts: () => Iterable<readonly [id: string, HeardEndpoint]>;
  readonly isNode: (id: string) => boolean;
  readonly nowUnixMs: () => number;
}

/**
 * The last endpoints of nodes, for the hub's next start.
 *
 * They are hints: the hub greets a node there, and only the authentic answer makes the address the node's. They are no
 * configuration, so that they have a file of their own, and nothing is lost where that is missing or damaged.
 */
export class KnownEndpoints {
  readonly #options: KnownEndpointsOptions;
  #hints: ReadonlyMap<string, HeardEndpoint>;
  #saving: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();
  readonly #refresh: NodeJS.Timeout;

  constructor(options: KnownEndpointsOptions) {
    this.#options = options;
    this.#hints = parseFile(options.file.read());
    this.#refresh = setInterval(() => this.#saveSoon(), REFRESH_MS).unref();
  }

  /** The endpoints of the last run that are worth a try, those heard last first. */
  hints(): (readonly [id: string, Endpoint])[] {
    return this.#recent()
      .sort(([, a], [, b]) => b.heardUnixMs - a.heardUnixMs)
      .flatMap(([id, { endpoint }]) => {
        const parsed = parseEndpoint(endpoint, NO_ZONES);
        return parsed === undefined ? [] : [[id, parsed] as const];
      });
  }

  /** A node was heard from. @param endpoint `undefined`: it is carried. */
  heard(id: string, endpoint: string | undefined): void {
    if (endpoint !== undefined && this.#hints.get(id)?.endpoint !== endpoint) this.#saveSoon();
  }

  async close(): Promise<void> {
    clearInterval(this.#refresh);
    await this.#save();
  }

  #saveSoon(): void {
    this.#saving ??= setTimeout(() => void this.#save(), SAVE_MS).unref();
  }

  /** Writes one file after the other. One that cannot be written costs the next start some seconds. */
  #save(): Promise<void> {
    clearTimeout(this.#saving);
    this.#saving = undefined;
    this.#hints = new Map([...this.#recent(), ...this.#options.whereabouts()].slice(-MAX_ENTRIES));
    const text = `${JSON.stringify({ nodes: Object.fromEntries(this.#hints) })}\n`;
    this.#writing = this.#writing.then(() => this.#options.file.write(text)).catch(() => {});
    return this.#writing;
  }

  #recent(): (readonly [string, HeardEndpoint])[] {
    const nowUnixMs = this.#options.nowUnixMs();
    return [...this.#hints].filter(([id, { heardUnixMs }]) => {
      const ageMs = nowUnixMs - heardUnixMs;
      return ageMs >= 0 && ageMs <= MAX_AGE_MS && this.#options.isNode(id);
    });
  }
}

function parseFile(text: string | undefined): ReadonlyMap<string, HeardEndpoint> {
  try {
    const result = v.safeParse(File, JSON.parse(text ?? '{}'));
    return new Map(result.success ? Object.entries(result.output.nodes) : []);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return new Map();
  }
}
