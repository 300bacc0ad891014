import type { ConfigDocument } from '../../control/config/config-document.js';
import { readConfigFile } from '../../control/config/config-file.js';
import { explained } from '../device/explained.js';
import { type ConfigFileWriter, changeConfigFile } from '../quick/change-config-file.js';
import { findConfig } from '../quick/config-path.js';
import { getDevice } from '../wg/get-device.js';
import { setDevice } from '../wg/set-device.js';
import type { WgChange } from '../wg/wg-change.js';
import { SystemFailure, type WgContext } from '../wg/wg-context.js';
import { clearDevice } from '../wg/wg-device.js';

const ENODEV = 19;
const EPROTONOSUPPORT = 93;
const ENOTSUP = 95;

/** The file of a server while it is changed. */
export interface ServerFile {
  readonly interfaceName: string;
  readonly path: string;
  readonly document: ConfigDocument;
}

/** A locked file of a server: no other command of ours changes it. */
export interface HeldServerFile extends ServerFile {
  readonly writer: ConfigFileWriter;
}

/**
 * Reads the file of an interface.
 *
 * @param target An interface, or a file.
 * @throws {WireGuardError} ERR_CONFIG_FILE, ERR_INTERFACE_NAME; ERR_CONFIG if there are errors in it.
 */
export async function readServerFile(target: string): Promise<ServerFile> {
  const { interfaceName, file } = findConfig(target);
  const document = await readConfigFile(file);
  document.assertValid();
  return { interfaceName, path: file, document };
}

/**
 * Reads and changes a file while no other command of ours changes it.
 *
 * @throws {WireGuardError} ERR_ANOTHER_AT_WORK if another command holds the lock for a minute.
 */
export async function withServerFile<T>(target: string, work: (file: HeldServerFile) => Promise<T>): Promise<T> {
  const { interfaceName, file: path } = findConfig(target);
  return await changeConfigFile(path, async (document, writer) => {
    document.assertValid();
    return await work({ interfaceName, path, document, writer });
  });
}

/** Writes the file for a change that the running interface does not need. @throws {WireGuardError} ERR_CONFIG_FILE */
export async function saveFile({ writer, document }: HeldServerFile): Promise<void> {
  await writer.write(document.text);
}

/**
 * Writes the file and changes the running interface. If the daemon refuses, the old text is restored.
 *
 * @returns Whether the interface runs.
 * @throws {WireGuardError} ERR_CONFIG_FILE, ERR_CONTROL_REFUSED and every error of `explained`.
 */
export async function saveAndApply(
  context: WgContext,
  file: HeldServerFile,
  oldText: string,
  change: WgChange,
): Promise<boolean> {
  const { interfaceName, writer, document } = file;
  const { text } = document;
  if (text !== oldText) await writer.write(text);
  try {
    await setDevice(context, interfaceName, change);
    return true;
  } catch (error) {
    if (error instanceof SystemFailure && isNotRunning(error)) return false;
    if (text !== oldText) await writer.write(oldText);
    return await explained(interfaceName, () => Promise.reject(error));
  }
}

/** Returns whether the interface runs. @throws {WireGuardError} Every error of `explained`. */
export async function isRunning(context: WgContext, { interfaceName }: ServerFile): Promise<boolean> {
  try {
    clearDevice(await getDevice(context, interfaceName));
    return true;
  } catch (error) {
    if (error instanceof SystemFailure && isNotRunning(error)) return false;
    return await explained(interfaceName, () => Promise.reject(error));
  }
}

function isNotRunning({ errno, isDaemons }: SystemFailure): boolean {
  return !isDaemons && [ENODEV, EPROTONOSUPPORT, ENOTSUP].includes(errno);
}
