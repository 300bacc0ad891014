import { randomBytes, randomInt } from 'node:crypto';
import { closeSync, existsSync, openSync, readFileSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';

import { replaceFile } from '../../control/config/replace-file.js';
import { parseIpPrefix } from '../../control/ip-text.js';
import type { IpPrefix } from '../../core/configuration.js';
import { WireGuardError } from '../../core/errors.js';
import type { GatewaySettings } from '../../gateway/gateway-model.js';
import type { TrustMode } from '../../gateway/mesh-model.js';
import type { DatagramSocket } from '../../host/datagram-socket.js';
import type { EndpointFile } from '../../mesh/hub/known-endpoints.js';
import { MeshHub } from '../../mesh/hub/mesh-hub.js';
import { SigningKey } from '../../mesh/records/signing.js';
import { createEngine } from '../../rootless/engine.js';
import type { GatewayClient } from '../gateway/gateway-client.js';
import { overlaps } from '../setup/address-range.js';
import { systemHostNetwork } from '../setup/system-host-network.js';

const KEY_FILE = 'signing.key';
const ENDPOINT_FILE = 'endpoints.json';
const NETWORK_ID_BYTES = 16;
const OTHERS = 0o077;
const SUBNET_TRIES = 64;

export interface HubRun {
  /** Name of a new network. Absent: the network is there already. */
  readonly name?: string;
  readonly mode: TrustMode;
  /** Where the administrator's key of a locked network is written. */
  readonly signingKeyFile?: string;
  /** URL of the carrier, as agents reach it. */
  readonly carrierUrl?: string;
}

/** Makes a hub around the engine of a gateway. The signing key of a network in mode `auto` lies in the folder. */
export function openHub(
  { carrierUrl }: HubRun,
  folder: string,
  privateKey: Uint8Array,
  log: (line: string) => void,
): MeshHub {
  const { clock, parts } = createEngine();
  const path = join(folder, KEY_FILE);
  // The next port is easily opened in a firewall; where it is taken, any port will do.
  const openSecond = async (listenPort: number): Promise<DatagramSocket> => {
    try {
      return await parts.openSocket(listenPort + 1, 0);
    } catch {
      return await parts.openSocket(0, 0);
    }
  };
  return new MeshHub({
    crypto: parts.crypto,
    clock,
    privateKey,
    openSecond,
    log,
    endpointFile: privateFile(join(folder, ENDPOINT_FILE)),
    readSigningKey: () => (existsSync(path) ? readSigningKey(path) : undefined),
    ...(carrierUrl === undefined ? {} : { carrierUrl }),
  });
}

/** Adds a new network to the settings of a first run, and makes its signing key. @throws {WireGuardError} ERR_NO_MESH, ERR_FILE_EXISTS */
export function hubSettings(settings: GatewaySettings, run: HubRun, folder: string): GatewaySettings {
  const { name, mode, signingKeyFile } = run;
  if (name === undefined) throw new WireGuardError('ERR_NO_MESH', `${folder} has no hub`);
  const key = SigningKey.generate();
  writePrivate(mode === 'auto' ? join(folder, KEY_FILE) : signingKeyFile!, key.toPem());
  return {
    ...settings,
    subnet4: pickWide(systemHostNetwork.networks()) ?? settings.subnet4,
    defaultSwitches: { ...settings.defaultSwitches, devices: true },
    mesh: {
      name,
      networkId: randomBytes(NETWORK_ID_BYTES).toString('base64'),
      mode,
      signingKey: Buffer.from(key.publicKey).toString('base64'),
    },
  };
}

/** @throws {WireGuardError} ERR_SIGNING_KEY: it cannot be read, is none, or others may read it. */
export function readSigningKey(path: string): SigningKey {
  try {
    if ((statSync(path).mode & OTHERS) !== 0) throw new Error('others may read it: chmod 600');
    return SigningKey.fromPem(readFileSync(path, 'utf8'));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const reason = code?.startsWith('ERR_') === true ? 'it is no Ed25519 key in PEM' : message;
    throw new WireGuardError('ERR_SIGNING_KEY', `${path}: ${reason}`);
  }
}

/**
 * Says how hosts join, where the network has no node yet.
 *
 * @param isSeen Somebody reads what is printed: an invitation is a secret, and a journal keeps what it gets.
 */
export async function sayHowToJoin(
  client: Pick<GatewayClient, 'call'>,
  isSeen: boolean,
  say: (line: string) => void,
): Promise<void> {
  const { name, nodes } = await client.call<{ name: string; nodes: object[] }>('GET', '/mesh');
  if (nodes.length > 0) return;
  if (!isSeen) return say(`The network ${name} has no nodes yet. This makes an invitation: wiretype mesh invite`);
  const { text } = await client.call<{ text: string }>('POST', '/mesh/invitations', {});
  say(`The network ${name} has no nodes yet. This invitation is for one host, within an hour:\n`);
  say(`  wiretype mesh join ${text}\n`);
  say('More: wiretype mesh invite. A phone: wiretype mesh add-device phone');
}

/** A range for 65,533 nodes that this host does not use; the nodes' own networks are not known. */
function pickWide(used: readonly IpPrefix[]): string | undefined {
  for (let tries = 0; tries < SUBNET_TRIES; tries++) {
    const text = `10.${randomInt(256)}.0.0/16`;
    if (!used.some((network) => overlaps(network, parseIpPrefix(text)!))) return text;
  }
  return undefined;
}

function privateFile(path: string): EndpointFile {
  return {
    read: () => {
      try {
        return readFileSync(path, 'utf8');
      } catch (error) {
        if (error instanceof Error && 'code' in error) return undefined;
        throw error;
      }
    },
    write: (text) => replaceFile(path, Buffer.from(text), { mode: 0o600 }),
  };
}

/** @throws {WireGuardError} ERR_FILE_EXISTS, ERR_SIGNING_KEY */
function writePrivate(path: string, text: string): void {
  try {
    const descriptor = openSync(path, 'wx', 0o600);
    try {
      writeSync(descriptor, text);
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') throw new WireGuardError('ERR_FILE_EXISTS', `${path} is there already`);
    throw new WireGuardError('ERR_SIGNING_KEY', `${path}: ${message}`);
  }
}
