import type { ConfigDocument } from '../../control/config/config-document.js';
import { readConfigFile } from '../../control/config/config-file.js';
import type { PeerSection } from '../../control/config/peer-section.js';
import { quote } from '../../control/config/secret-text.js';
import { WireGuardError } from '../../core/errors.js';
import { explained } from '../device/explained.js';
import { type ConfigFileWriter, changeConfigFile } from '../quick/change-config-file.js';
import { findConfig } from '../quick/config-path.js';
import { setDevice } from '../wg/set-device.js';
import type { WgChange } from '../wg/wg-change.js';
import { SystemFailure, type WgContext } from '../wg/wg-context.js';

const ENODEV = 19;
const EPROTONOSUPPORT = 93;
const ENOTSUP = 95;

/** A server's file that is being worked on. */
export interface ServerFile {
  readonly interfaceName: string;
  readonly path: string;
  readonly document: ConfigDocument;
}

/** A server's file that is held: no other command of ours changes it. */
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
 * Works on a file while no other command of ours does.
 *
 * @throws {WireGuardError} ERR_ANOTHER_AT_WORK if another does for a minute.
 */
export async function withServerFile<T>(target: string, work: (file: HeldServerFile) => Promise<T>): Promise<T> {
  const { interfaceName, file: path } = findConfig(target);
  return await changeConfigFile(path, async (document, writer) => {
    document.assertValid();
    return await work({ interfaceName, path, document, writer });
  });
}

/**
 * Writes the file, and has the running interface follow. If the daemon refuses, the file is as it was.
 *
 * @returns Whether the interface runs.
 * @throws {WireGuardError} ERR_CONFIG_FILE, ERR_CONTROL_REFUSED and what else `explained` throws.
 */
export async function saveAndApply(
  context: WgContext,
  file: HeldServerFile,
  oldText: string,
  change: WgChange,
): Promise<boolean> {
  const { interfaceName, writer, document } = file;
  await writer.write(document.text);
  try {
    await setDevice(context, interfaceName, change);
    return true;
  } catch (error) {
    if (error instanceof SystemFailure && isNotRunning(error)) return false;
    await writer.write(oldText);
    return await explained(interfaceName, () => Promise.reject(error));
  }
}

/** Finds a peer by its name or its public key. @throws {WireGuardError} ERR_PEER */
export function findPeer(document: ConfigDocument, nameOrKey: string): PeerSection {
  const found = document.peers.filter(({ name, publicKeyText }) => name === nameOrKey || publicKeyText === nameOrKey);
  if (found.length === 1) return found[0]!;
  const why = found.length === 0 ? 'has no peer' : `has ${found.length} peers`;
  throw new WireGuardError('ERR_PEER', `${document.fileName} ${why} ${quoteKey(nameOrKey)}`);
}

/** A public key is no secret, but it looks like one. */
function quoteKey(text: string): string {
  return /^[A-Za-z0-9+/]{43}=$/.test(text) ? text : quote(text);
}

function isNotRunning({ errno, isDaemons }: SystemFailure): boolean {
  return !isDaemons && [ENODEV, EPROTONOSUPPORT, ENOTSUP].includes(errno);
}
