import { readdirSync } from 'node:fs';
import path from 'node:path';

import type { ConfigDocument } from '../../control/config/index.js';
import type { DeviceState } from '../../control/device-control.js';
import { WireGuardError } from '../../core/errors.js';
import { kernelLinks } from '../system-kernel.js';

/** A word and its meaning. */
export interface Candidate {
  readonly word: string;
  readonly about: string;
}

/** The names that exist on this host. Unreadable sources count as empty: errors would disturb the command line. */
export class MachineWords {
  readonly #socketFolder: string;
  readonly #configFolder: string;

  constructor(socketFolder = '/var/run/wireguard', configFolder = '/etc/wireguard') {
    this.#socketFolder = socketFolder;
    this.#configFolder = configFolder;
  }

  /** Lists interfaces with a control socket, and interfaces of the kernel's own. */
  running(): Candidate[] {
    const names = new Set([...kernelLinks(), ...listFolder(this.#socketFolder, '.sock')]);
    return [...names].sort().map((word) => ({ word, about: 'running interface' }));
  }

  /** Lists interfaces with a file in the folder for them. */
  configured(): Candidate[] {
    return listFolder(this.#configFolder, '.conf').map((word) => ({
      word,
      about: `${this.#configFolder}/${word}.conf`,
    }));
  }

  /** Lists public keys of the peers of a running interface, with their names where its file has some. */
  async peerKeys(interfaceName: string): Promise<Candidate[]> {
    const names = await this.#readNames(interfaceName);
    const device = await orUndefined(this.#readDevice(interfaceName));
    if (device === undefined) return [];
    const { formatKey } = await import('../../control/key-text.js');
    return [...device.peers].map((peer) => {
      const word = formatKey(peer.publicKey);
      return { word, about: names.get(word) ?? 'peer' };
    });
  }

  /** Lists names and public keys of the peers in a file, also disabled ones. @param target An interface, or a file. */
  async peerNames(target: string): Promise<Candidate[]> {
    const names = [...(await this.#readNames(target))];
    return [
      ...names.flatMap(([key, word]) => (word === undefined ? [] : [{ word, about: key }])),
      ...names.map(([word, name]) => ({ word, about: name ?? 'peer' })),
    ];
  }

  async #readDevice(interfaceName: string): Promise<DeviceState> {
    const { SystemDevice } = await import('../system-device.js');
    const { clearDevice } = await import('../quick/require-device.js');
    const socketPath = path.join(this.#socketFolder, `${interfaceName}.sock`);
    const device = await new SystemDevice(interfaceName, socketPath).get();
    clearDevice(device);
    return device;
  }

  async #readNames(target: string): Promise<Map<string, string | undefined>> {
    const { printable } = await import('../../control/config/secret-text.js');
    const { filePeers } = await import('../setup/file-peers.js');
    const document = await orUndefined(this.#readFile(target));
    const all = document === undefined ? [] : filePeers(document).map(({ peer }) => peer);
    const peers = all.filter(({ publicKeyText }) => publicKeyText !== '');
    return new Map(
      peers.map(({ publicKeyText, name }) => [publicKeyText, name === undefined ? undefined : printable(name)]),
    );
  }

  async #readFile(target: string): Promise<ConfigDocument> {
    const { readConfigFile } = await import('../../control/config/config-file.js');
    const { findConfig } = await import('../quick/config-path.js');
    return await readConfigFile(findConfig(target, this.#configFolder).file);
  }
}

function listFolder(folder: string, ending: string): string[] {
  try {
    const files = readdirSync(folder).filter((name) => name.endsWith(ending));
    return files.map((name) => name.slice(0, -ending.length)).sort();
  } catch (error) {
    if (isExpected(error)) return [];
    throw error;
  }
}

async function orUndefined<T>(promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise;
  } catch (error) {
    if (isExpected(error)) return undefined;
    throw error;
  }
}

function isExpected(error: unknown): boolean {
  return error instanceof WireGuardError || (error instanceof Error && 'syscall' in error);
}
