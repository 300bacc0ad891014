import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { connect, isIPv6 } from 'node:net';

import { writeUint16 } from '../../wire/ip-header.js';
import { type DnsQuestion, isAnswerTo, messageId, withId } from './dns-message.js';
import { MessageReader } from './message-reader.js';

const DNS_PORT = 53;
const PATIENCE_MS = 2_000;
const MAX_TRIES = 3;

/** A client's query on its way to the resolvers. */
export interface DnsQuery {
  readonly message: Uint8Array;
  readonly question: DnsQuestion;
  readonly isTcp: boolean;
}

/**
 * Asks resolvers in turn, each for two seconds, with an id and a source port of our own (RFC 5452 §9.2).
 *
 * @param servers Addresses, or `address:port` for tests by `port`.
 * @returns The answer as it came, with the id of the query; `undefined` if nobody answered.
 */
export async function askUpstreams(
  query: DnsQuery,
  servers: readonly string[],
  port = DNS_PORT,
): Promise<Uint8Array | undefined> {
  const ask = query.isTcp ? askByTcp : askByUdp;
  for (let attempt = 0; attempt < Math.min(MAX_TRIES, Math.max(servers.length, 2)); attempt++) {
    const answer = await ask(query, servers[attempt % servers.length]!, port);
    if (answer !== undefined) return withId(answer, messageId(query.message));
  }
  return undefined;
}

function askByUdp({ message, question }: DnsQuery, server: string, port: number): Promise<Uint8Array | undefined> {
  const id = randomInt(0x1_0000);
  return new Promise((resolve) => {
    const socket = createSocket(isIPv6(server) ? 'udp6' : 'udp4');
    let isEnded = false;
    const end = (answer?: Uint8Array): void => {
      if (isEnded) return;
      isEnded = true;
      clearTimeout(timer);
      socket.close();
      resolve(answer);
    };
    const timer = setTimeout(end, PATIENCE_MS);
    socket.once('error', () => end());
    socket.on('message', (answer) => {
      if (isAnswerTo(answer, id, question)) end(answer);
    });
    // Not as a callback of `connect`, which is called for failures as well.
    socket.once('connect', () => socket.send(withId(message, id)));
    // A connected socket takes datagrams of this server only, and learns that its port is closed.
    socket.connect(port, server);
  });
}

function askByTcp({ message, question }: DnsQuery, server: string, port: number): Promise<Uint8Array | undefined> {
  const id = randomInt(0x1_0000);
  return new Promise((resolve) => {
    const socket = connect({ host: server, port });
    const reader = new MessageReader((answer) => {
      if (isAnswerTo(answer, id, question)) end(answer);
    });
    const end = (answer?: Uint8Array): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(PATIENCE_MS, () => end());
    socket.once('error', () => end());
    socket.once('close', () => end());
    socket.on('data', (bytes) => reader.take(bytes));
    socket.once('connect', () => socket.write(framed(withId(message, id))));
  });
}

/** Puts the length in front, as DNS over TCP has it (RFC 1035 §4.2.2). */
export function framed(message: Uint8Array): Uint8Array {
  const frame = new Uint8Array(2 + message.length);
  writeUint16(frame, 0, message.length);
  frame.set(message, 2);
  return frame;
}
