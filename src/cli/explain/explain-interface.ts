import { existsSync } from 'node:fs';

import { type ConfigDocument, readConfigFile } from '../../control/config/index.js';
import { printable } from '../../control/config/secret-text.js';
import type { DeviceState, PeerState } from '../../control/device-control.js';
import { isHostName } from '../../control/endpoint-names.js';
import { formatKey } from '../../control/key-text.js';
import type { ReceivedExplanation } from '../../control/uapi-explain-text.js';
import { REJECT_AFTER_TIME_MS } from '../../core/constants.js';
import { WireGuardError } from '../../core/errors.js';
import { isLinkUp } from '../../host/net/ip-query.js';
import { unlessInvalid } from '../unless-invalid.js';
import type { InterfaceAdvice, NotAvailable, PeerAdvice } from './advice.js';
import { adviseInterface } from './interface-advice.js';
import { advisePeer, type Surroundings } from './peer-advice.js';

const NO_DROPS: ReadonlyMap<string, number> = new Map();

/** The interface or peer to explain. */
export interface ExplainRequest {
  readonly interfaceName: string;
  /** A public key, the start of one, or a name from the file; `undefined`: all peers. */
  readonly peer: string | undefined;
  readonly unixTimeMs: number;
}

/** The answers of the daemon or of the kernel. */
export interface DaemonAnswers {
  /** The device without secrets, except for whether it has a private key. */
  readonly device: DeviceState;
  readonly hasPrivateKey: boolean;
  /** The kernel answers. */
  readonly isKernels: boolean;
  /** `undefined`: the daemon gives no reasons. */
  readonly explanation: ReceivedExplanation | undefined;
}

/**
 * Finds out why peers do not answer.
 *
 * @throws {WireGuardError} ERR_USAGE if there is no such peer.
 */
export async function explainInterface(
  surroundings: Surroundings,
  { device, hasPrivateKey, isKernels, explanation }: DaemonAnswers,
  request: ExplainRequest,
): Promise<InterfaceAdvice> {
  const { interfaceName: name, unixTimeMs } = request;
  const isUp = (await isLinkUp(surroundings.commands, name)) ?? null;
  const document = await readFileOf(name);
  const told = new Map(explanation?.peers.map((peer) => [formatKey(peer.publicKey), peer]));

  const peers: PeerAdvice[] = [];
  for (const peer of selectPeers([...device.peers], request.peer, document)) {
    const publicKey = formatKey(peer.publicKey);
    const section = document?.peer(publicKey);
    const hasSession = isUp !== false && unixTimeMs - peer.lastHandshakeUnixMs < REJECT_AFTER_TIME_MS;
    const drops = told.get(publicKey)?.drops ?? NO_DROPS;
    const written = section === undefined ? undefined : unlessInvalid(() => section.endpoint);
    const facts = { interfaceName: name, isUp, mark: device.fwmark, peer, hasSession, drops, written, unixTimeMs };
    peers.push({
      publicKey,
      name: section?.name === undefined ? null : printable(section.name),
      hasSession,
      reasonCode: told.get(publicKey)?.reasonCode || null,
      reason: told.get(publicKey)?.reason ?? reasonFromOutside(peer, hasSession, unixTimeMs),
      advice: await advisePeer(surroundings, facts),
    });
  }
  const advice = await adviseInterface(surroundings.commands, {
    name,
    isUp,
    hasPrivateKey,
    listenPort: device.listenPort,
    isSound: peers.every(({ hasSession }) => hasSession),
    drops: explanation?.drops ?? NO_DROPS,
    unixTimeMs,
  });
  const notAvailable = isKernels ? notOfKernels(name, document) : [];
  return { interface: name, isUp, isKernels, listenPort: device.listenPort || null, notAvailable, advice, peers };
}

function selectPeers(
  peers: readonly PeerState[],
  wanted: string | undefined,
  document: ConfigDocument | undefined,
): readonly PeerState[] {
  if (wanted === undefined) return peers;
  const found = peers.filter(({ publicKey }) => {
    const key = formatKey(publicKey);
    return key.startsWith(wanted) || document?.peer(key)?.name === wanted;
  });
  if (found.length > 0) return found;
  throw new WireGuardError('ERR_USAGE', `the interface has no peer ${JSON.stringify(wanted)}`);
}

/** Lists the services of our daemon that interfaces of the kernel lack. */
function notOfKernels(name: string, document: ConfigDocument | undefined): NotAvailable[] {
  const reasons = {
    what: 'reasons and counts of dropped packets',
    why: 'the WireGuard of the kernel reports none; everything here is deduced from outside',
  };
  const hasNames = document?.peers.some((section) => {
    const endpoint = unlessInvalid(() => section.endpoint);
    return endpoint !== undefined && isHostName(endpoint);
  });
  if (hasNames !== true) return [reasons];
  const why = `no daemon looks names up again; systemctl enable --now wiretype-reresolve@${name}.timer does`;
  return [reasons, { what: 'following endpoints that are names', why }];
}

/** Returns the reason that can be deduced for a peer whose daemon gives no reasons. */
function reasonFromOutside(peer: PeerState, hasSession: boolean, unixTimeMs: number): string {
  if (hasSession) return 'There is a session.';
  if (peer.endpoint === undefined) return 'The peer has no endpoint: set one, or wait until the peer makes contact.';
  if (peer.lastHandshakeUnixMs > 0) {
    const seconds = Math.floor((unixTimeMs - peer.lastHandshakeUnixMs) / 1_000);
    return `The last handshake was ${seconds} s ago. The next one is made when there is something to send.`;
  }
  if (peer.txBytes === 0) return 'There was nothing to send yet: a handshake starts with the first packet.';
  return peer.rxBytes === 0
    ? 'Nothing has come from the peer: it may be off, a firewall may be in between, or its endpoint or our key there is wrong.'
    : 'The peer answers, but there was no handshake: compare the keys on both sides.';
}

/** Returns `undefined` if the file is elsewhere, or broken: names are best effort. */
async function readFileOf(interfaceName: string): Promise<ConfigDocument | undefined> {
  const file = `/etc/wireguard/${interfaceName}.conf`;
  if (!existsSync(file)) return undefined;
  try {
    return await readConfigFile(file);
  } catch (error) {
    if (error instanceof WireGuardError) return undefined;
    throw error;
  }
}
