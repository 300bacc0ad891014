import type { Peer } from '../../src/core/session/peer.js';
import { SocketAddress } from '../../src/sim/socket-address.js';
import { textPacket } from './couple.js';
import { NODE_INNER, SCRIPTED_INNER, type ScriptedLink } from './scripted-link.js';
import { sealMessage } from './scripted-peer.js';

/** Every kind of authentic message: what the script sends from another port. */
export function MESSAGES_THAT_ROAM(
  port: number,
): [string, (link: ScriptedLink, random: Uint8Array, settle: () => void) => void][] {
  return [
    ['an initiation', (link) => link.send(link.initiation(), port)],
    [
      'a response',
      (link, random, settle) => {
        link.node.setPeer(link.script.staticPublic, { endpoint: link.address });
        link.node.sendPacket(textPacket(NODE_INNER, SCRIPTED_INNER, 'waits'));
        settle();
        const initiation = link.lastReceived(1);
        link.script.consumeInitiation(initiation);
        link.send(link.script.createResponse(initiation, { ephemeralPrivate: random }).message, port);
      },
    ],
    ['a keepalive', (link) => link.send(sealMessage(link.connectAsInitiator(), 0n, new Uint8Array(0)), port)],
    [
      'a message under the previous session',
      (link) => {
        const first = link.connectAsInitiator();
        link.sendText(first, 0n, 'one');
        link.sendText(link.connectAsInitiator(), 0n, 'two');
        link.send(sealMessage(first, 1n, new Uint8Array(0)), port);
      },
    ],
  ];
}

/** Where the peer is, as text. */
export function endpointOf(peer: Peer): string {
  return String(SocketAddress.fromRecord(peer.endpoint!.bytes, 0));
}
