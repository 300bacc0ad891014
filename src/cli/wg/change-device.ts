import { InputFile } from './input-file.js';
import { readSetArguments } from './set-arguments.js';
import { setDevice } from './set-device.js';
import { accessDevice } from './show.js';
import { readStockConfig } from './stock-config.js';
import { toSyncChange } from './sync-change.js';
import { systemMessage } from './system-errors.js';
import { stockValues } from './value-reader.js';
import { clearChange, type WgChange } from './wg-change.js';
import { SystemFailure, type WgContext, WgFailure } from './wg-context.js';
import { clearDevice } from './wg-device.js';

const KEY_BYTES = 32;

export type ConfCommand = 'setconf' | 'addconf' | 'syncconf';

/** Runs `wg set`. @throws {WgFailure} */
export async function set(context: WgContext, [name = '', ...words]: readonly string[]): Promise<void> {
  const change: WgChange = { replacePeers: false, peers: [] };
  try {
    await readSetArguments(stockValues(context), words, change);
    await applyChange(context, name, change);
  } finally {
    clearChange(change);
  }
}

/** Runs `wg setconf`, `addconf` and `syncconf`. @throws {WgFailure} */
export async function setconf(context: WgContext, command: ConfCommand, name: string, path: string): Promise<void> {
  const change = command === 'addconf' ? { replacePeers: false, peers: [] } : emptyDevice();
  try {
    await readFile(context, path, change);
    if (command === 'syncconf') await syncWith(context, name, change);
    await applyChange(context, name, change);
  } finally {
    clearChange(change);
  }
}

async function readFile(context: WgContext, path: string, change: WgChange): Promise<void> {
  const file = InputFile.open(path);
  try {
    await readStockConfig(stockValues(context), file.lines(), change);
  } finally {
    file.close();
  }
}

/** @throws {WgFailure} */
export async function applyChange(context: WgContext, name: string, change: WgChange): Promise<void> {
  try {
    await setDevice(context, name, change);
  } catch (error) {
    if (!(error instanceof SystemFailure)) throw error;
    throw new WgFailure(`Unable to modify interface: ${systemMessage(error.errno)}`, { cause: error });
  }
}

/** Returns a change of the whole device: a file resets all settings that it omits. */
export function emptyDevice(): WgChange {
  return { privateKey: new Uint8Array(KEY_BYTES), listenPort: 0, fwmark: 0, replacePeers: true, peers: [] };
}

async function syncWith(context: WgContext, name: string, change: WgChange): Promise<void> {
  if (change.peers.length === 0) return;
  const device = await accessDevice(context, name, 'Unable to retrieve current interface configuration');
  toSyncChange(change, device);
  clearDevice(device);
}
