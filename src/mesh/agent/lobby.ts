import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import { parseIpAddress } from '../../control/ip-text.js';
import { parseKey } from '../../control/key-text.js';
import { WireGuardError } from '../../core/errors.js';
import { Tunnel } from '../../host/tunnel.js';
import { createEngine } from '../../rootless/engine.js';
import { StackLoop } from '../../rootless/stack-loop.js';
import { TunnelHost } from '../../rootless/tunnel-host.js';
import type { Endpoint } from '../../wire/endpoint.js';
import type {} from '../mesh-errors.js';
import { peerEndpoint } from '../paths/agent-path-socket.js';
import { HUB_NUMBER } from '../paths/peer-paths.js';
import type { InvitationText } from '../records/invitation-text.js';
import { AgentSockets } from './agent-sockets.js';
import { locate } from './hub-address.js';

const MTU = 1_280;
/** UDP that is not answered for so long is tried by the carrier. */
const UDP_MS = 5_000;
const CARRIER_MS = 20_000;

/**
 * Opens the tunnel of an invitation in memory: it reaches the enrolment of the hub, and nothing else.
 *
 * @throws {WireGuardError} ERR_HUB_UNREACHABLE: neither UDP nor the carrier is answered; ERR_NAME_RESOLUTION.
 */
export async function openLobby(
  invitation: InvitationText,
): Promise<{ readonly host: TunnelHost; close(): Promise<void> }> {
  const { clock, segmenter, parts } = createEngine();
  const addresses = [parseIpAddress(invitation.lobbyAddress)!];
  const loop = new StackLoop({ name: 'lobby', clock, segmenter, crypto: parts.crypto, addresses, mtu: MTU });
  const sockets = new AgentSockets();
  const found = await resolveHub(invitation.hubEndpoint).catch((error: WireGuardError) => error);
  // Behind some proxies names are not found; the proxy finds that of the carrier.
  if (found instanceof WireGuardError && invitation.carrierUrl === undefined) throw found;
  let way = found instanceof WireGuardError ? undefined : found;
  sockets.find = () => ({ first: way });
  const tunnel = await Tunnel.create({ ...parts, openSocket: sockets.opener(parts.openSocket), tun: loop.tun });
  const names = { dnsServers: [], searchDomains: [] };
  const host = new TunnelHost({ tunnel, loop, addresses: [invitation.lobbyAddress], ...names });
  const close = async (): Promise<void> => {
    sockets.close();
    // A FIN of the hub would never be answered, and keep a connection and handshakes there for minutes.
    loop.stack.tcp.abortAll();
    loop.wake();
    await host.close();
  };
  try {
    await applyInvitation(tunnel, invitation);
    if (way !== undefined && (await hasSession(tunnel, loop, UDP_MS))) return { host, close };
    sockets.carry(invitation.carrierUrl, (endpoint) => {
      way = endpoint ?? way;
      if (endpoint !== undefined) void greet(tunnel, invitation);
    });
    if (invitation.carrierUrl !== undefined && (await hasSession(tunnel, loop, CARRIER_MS))) return { host, close };
    const carrier = invitation.carrierUrl === undefined ? '' : `, and neither does ${invitation.carrierUrl}`;
    const silence =
      found instanceof WireGuardError ? found.message : `the hub does not answer at ${invitation.hubEndpoint} by UDP`;
    throw new WireGuardError('ERR_HUB_UNREACHABLE', `${silence}${carrier}`);
  } catch (error) {
    await close();
    throw error;
  }
}

async function applyInvitation(tunnel: Tunnel, invitation: InvitationText): Promise<void> {
  const privateKey = parseKey(invitation.privateKey, 'private key of the invitation');
  await tunnel.apply({ privateKey, replacePeers: true, peers: [peerOf(invitation, 0)] });
  privateKey.fill(0);
  await greet(tunnel, invitation);
}

/** A keepalive that is switched on is sent at once, and begins the handshake. */
async function greet(tunnel: Tunnel, invitation: InvitationText): Promise<void> {
  for (const seconds of [0, 25]) await tunnel.apply({ replacePeers: false, peers: [peerOf(invitation, seconds)] });
}

function peerOf({ hubKey, hubAddress }: InvitationText, persistentKeepaliveSeconds: number) {
  const address = parseIpAddress(hubAddress)!;
  return {
    publicKey: parseKey(hubKey, 'key of the hub'),
    isRemoval: false,
    isUpdateOnly: false,
    endpoint: peerEndpoint(HUB_NUMBER),
    persistentKeepaliveSeconds,
    replaceAllowedIps: true,
    allowedIps: [{ address, prefixLength: 8 * address.length, isRemoval: false }],
  };
}

async function hasSession(tunnel: Tunnel, loop: StackLoop, ms: number): Promise<boolean> {
  const signal = AbortSignal.timeout(ms);
  const events = tunnel.events[Symbol.asyncIterator]();
  const timeout = once(signal, 'abort').then(() => undefined);
  for (;;) {
    const next = await Promise.race([events.next(), timeout]);
    if (next === undefined || next.done === true) {
      await events.return?.();
      return false;
    }
    if (next.value.kind !== 'handshake') continue;
    loop.sessionBegan();
    void events.return?.();
    return true;
  }
}

/** @throws {WireGuardError} ERR_NAME_RESOLUTION */
async function resolveHub(endpoint: string): Promise<Endpoint> {
  const found = await locate(endpoint, async (name) => {
    const { address } = await lookup(name).catch((cause) => {
      throw new WireGuardError('ERR_NAME_RESOLUTION', `the hub's name ${name} is not found`, { cause });
    });
    return address;
  });
  return found!;
}
