import { Worker } from 'node:worker_threads';

import { WireGuardError } from '../core/errors.js';
import type { StoreOperation, StoreOperations } from './store-operations.js';
import { CLOSE, errorOf, OPEN_ID, type Reply, type Request } from './worker-messages.js';

/** Requests that wait for the disk. More are refused, so that a disk that hangs does not fill the memory. */
const MAX_WAITING = 1_024;

interface Waiter {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

/**
 * The store's thread, as the main thread sees it. Requests are answered in their order.
 *
 * The thread keeps the process alive only while a request waits.
 */
export class WorkerClient {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiter>();
  readonly #exited: Promise<void>;
  #lastId = OPEN_ID;
  #isClosed = false;

  /** Starts the thread. @throws {WireGuardError} As `StoreFolder.open`, and ERR_SQLITE_MISSING. */
  static async open(folder: string): Promise<WorkerClient> {
    const client = new WorkerClient(folder);
    try {
      await new Promise((resolve, reject) => client.#wait(OPEN_ID, { resolve, reject }));
      return client;
    } catch (error) {
      await client.#worker.terminate();
      throw error;
    }
  }

  private constructor(folder: string) {
    // Node 22 warns that its SQLite is experimental, which is no news for people that run a gateway.
    const execArgv = ['--disable-warning=ExperimentalWarning'];
    this.#worker = new Worker(new URL('./store-worker.js', import.meta.url), { workerData: { folder }, execArgv });
    this.#worker.unref();
    this.#worker.on('message', (reply: Reply) => this.#settle(reply));
    this.#worker.on('error', (error) => this.#fail(error));
    this.#exited = new Promise((resolve) => {
      this.#worker.once('exit', () => {
        this.#fail(new WireGuardError('ERR_STORE_CLOSED', 'the store is closed'));
        resolve();
      });
    });
  }

  /** @throws {WireGuardError} As the operation, and ERR_STORE_CLOSED, ERR_STORE_BUSY. */
  async request<K extends StoreOperation>(
    operation: K,
    ...args: Parameters<StoreOperations[K]>
  ): Promise<ReturnType<StoreOperations[K]>> {
    if (this.#isClosed) throw new WireGuardError('ERR_STORE_CLOSED', 'the store is closed');
    if (this.#waiting.size >= MAX_WAITING)
      throw new WireGuardError('ERR_STORE_BUSY', `${MAX_WAITING} requests wait for the disk`);
    const result = await new Promise((resolve, reject) => {
      const id = ++this.#lastId;
      this.#worker.postMessage({ id, operation, args } satisfies Request);
      this.#wait(id, { resolve, reject });
    });
    return result as ReturnType<StoreOperations[K]>;
  }

  /** Ends the thread, after the requests before. */
  async close(): Promise<void> {
    if (!this.#isClosed) {
      this.#isClosed = true;
      this.#worker.ref();
      this.#worker.postMessage({ id: ++this.#lastId, operation: CLOSE, args: [] } satisfies Request);
    }
    await this.#exited;
  }

  #wait(id: number, waiter: Waiter): void {
    if (this.#waiting.size === 0) this.#worker.ref();
    this.#waiting.set(id, waiter);
  }

  #settle(reply: Reply): void {
    const waiter = this.#waiting.get(reply.id);
    this.#waiting.delete(reply.id);
    if (this.#waiting.size === 0 && !this.#isClosed) this.#worker.unref();
    if ('error' in reply) waiter?.reject(errorOf(reply.error));
    else waiter?.resolve(reply.result);
  }

  /** The thread is gone: whatever waits will not be answered. */
  #fail(error: Error): void {
    this.#isClosed = true;
    const waiters = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { reject } of waiters) reject(error);
  }
}
