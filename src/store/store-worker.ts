/** The store's thread: takes requests one by one, in order. Only `worker-client.ts` starts it. */
import { parentPort, workerData } from 'node:worker_threads';

import { SYSTEM_CLOCK } from './clock.js';
import { loadSqlite } from './sqlite.js';
import { StoreFolder } from './store-folder.js';
import { type StoreOperations, storeOperations } from './store-operations.js';
import { CLOSE, OPEN_ID, portableError, type Reply, type Request } from './worker-messages.js';

const port = parentPort!;
const { folder: path } = workerData as { readonly folder: string };

const folder = await open();
if (folder !== undefined) serve(folder, storeOperations(folder));

async function open(): Promise<StoreFolder | undefined> {
  try {
    const opened = StoreFolder.open(await loadSqlite(), path, SYSTEM_CLOCK);
    opened.keepBackups();
    send({ id: OPEN_ID, result: undefined });
    return opened;
  } catch (error) {
    send({ id: OPEN_ID, error: portableError(error) });
    return undefined;
  }
}

function serve(opened: StoreFolder, operations: StoreOperations): void {
  port.on('message', ({ id, operation, args }: Request) => {
    try {
      if (operation === CLOSE) {
        opened.close();
        port.close();
        return;
      }
      const run = operations[operation] as (...args: readonly unknown[]) => unknown;
      send({ id, result: run(...args) });
    } catch (error) {
      send({ id, error: portableError(error) });
      return;
    }
    opened.keepBackups();
  });
}

function send(reply: Reply): void {
  port.postMessage(reply);
}
