import { createHash } from 'node:crypto';
import { type Runtime, Session } from 'node:inspector';

/** Everything that an object holds, by the path to it. Values are text, long ones a digest. */
export type ObjectSnapshot = ReadonlyMap<string, string>;

const LONG_BYTES = 64;

/**
 * Writes down the whole state of an object: all that it reaches through fields, private ones included.
 *
 * Two equal snapshots mean that nothing changed, whatever classes there are and whatever they hide. Private fields
 * are read with the debugger's interface, so it is slow: some microseconds per field.
 *
 * @param ignored Paths that are left out, with all that lies behind them.
 */
export function takeSnapshot(root: object, ignored: readonly RegExp[] = []): ObjectSnapshot {
  const session = new Session();
  session.connect();
  try {
    return new Walker(session, ignored).walk(root);
  } finally {
    session.disconnect();
  }
}

/** @returns A line for each path whose value is not the same in both. */
export function snapshotDifferences(before: ObjectSnapshot, after: ObjectSnapshot): string[] {
  const paths = new Set([...before.keys(), ...after.keys()]);
  return [...paths]
    .filter((path) => before.get(path) !== after.get(path))
    .map((path) => `${path}: ${before.get(path)} → ${after.get(path)}`);
}

class Walker {
  readonly #session: Session;
  readonly #ignored: readonly RegExp[];
  readonly #snapshot = new Map<string, string>();
  readonly #pathOf = new Map<object, string>();
  readonly #waiting: [object, string][] = [];

  constructor(session: Session, ignored: readonly RegExp[]) {
    this.#session = session;
    this.#ignored = ignored;
  }

  walk(root: object): ObjectSnapshot {
    this.#visit('', root);
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) this.#open(...next);
    return this.#snapshot;
  }

  #visit(path: string, value: unknown): void {
    if (this.#ignored.some((pattern) => pattern.test(path)) || typeof value === 'function') return;
    if (typeof value !== 'object' || value === null) {
      this.#snapshot.set(path, String(value));
      return;
    }
    const known = this.#pathOf.get(value);
    this.#snapshot.set(path, known === undefined ? value.constructor?.name : `→ ${known}`);
    if (known !== undefined) return;
    this.#pathOf.set(value, path);
    this.#waiting.push([value, path]);
  }

  #open(object: object, path: string): void {
    if (ArrayBuffer.isView(object)) {
      this.#snapshot.set(path, describeBytes(object));
      return;
    }
    if (object instanceof Map || object instanceof Set) this.#openCollection(object, path);
    for (const [name, value] of Object.entries(object)) this.#visit(`${path}.${name}`, value);
    for (const [name, value] of this.#privateFields(object)) this.#visit(`${path}.${name}`, value);
  }

  #openCollection(collection: Map<unknown, unknown> | Set<unknown>, path: string): void {
    this.#snapshot.set(`${path}.size`, String(collection.size));
    let position = 0;
    for (const [key, value] of collection.entries()) {
      this.#visit(`${path}[${position}].key`, key);
      this.#visit(`${path}[${position++}]`, value);
    }
  }

  #privateFields(object: object): [string, unknown][] {
    const objectId = this.#idOf(object);
    if (objectId === undefined) return [];
    const { privateProperties = [] } = this.#post<Runtime.GetPropertiesReturnType & PrivateProperties>(
      'Runtime.getProperties',
      { objectId, ownProperties: true },
    );
    return privateProperties
      .filter(({ value }) => value !== undefined)
      .map(({ name, value }) => [name, this.#valueOf(value!)]);
  }

  #idOf(object: object): string | undefined {
    exchangePlace.value = object;
    const expression = `globalThis[Symbol.for('${EXCHANGE_NAME}')].value`;
    return this.#post<Runtime.EvaluateReturnType>('Runtime.evaluate', { expression }).result.objectId;
  }

  #valueOf(remote: Runtime.RemoteObject): unknown {
    if (remote.objectId === undefined) return remote.unserializableValue ?? remote.value;
    const functionDeclaration = `function () { globalThis[Symbol.for('${EXCHANGE_NAME}')].value = this; }`;
    this.#post('Runtime.callFunctionOn', { objectId: remote.objectId, functionDeclaration });
    return exchangePlace.value;
  }

  /** The debugger of one's own thread answers before the call returns. */
  #post<Result>(method: string, parameters: object): Result {
    let result: Result | undefined;
    this.#session.post(method, parameters, (error, answer) => {
      if (error !== null) throw error;
      result = answer as Result;
    });
    return result!;
  }
}

interface PrivateProperties {
  readonly privateProperties?: readonly { readonly name: string; readonly value?: Runtime.RemoteObject }[];
}

/** Where objects pass between here and the debugger. */
const EXCHANGE_NAME = 'wiretype.object-snapshot';
const exchangePlace: { value: unknown } = { value: undefined };
Object.defineProperty(globalThis, Symbol.for(EXCHANGE_NAME), { value: exchangePlace });

function describeBytes(view: ArrayBufferView): string {
  const bytes = Buffer.from(view.buffer, view.byteOffset, view.byteLength);
  if (bytes.length <= LONG_BYTES) return bytes.toString('hex');
  return `${bytes.length} bytes, ${createHash('sha256').update(bytes).digest('hex').slice(0, 32)}`;
}
