import type { Destination } from '../exit.js';
import type { CredentialCheck } from '../server/credential-check.js';
import { formatReply4, parseRequest4, Reply4, VERSION_4 } from './socks4-messages.js';
import {
  Command,
  formatCredentialsReply,
  formatMethod,
  formatReply,
  Method,
  parseCredentials,
  parseGreeting,
  parseRequest,
  Reply,
} from './socks5-messages.js';

export interface SocksRequest {
  readonly version: 4 | 5;
  readonly command: 'connect' | 'bind' | 'udp-associate';
  readonly destination: Destination;
}

/** The consequence of the bytes so far. `reply` goes to the client first. */
export type HandshakeStep =
  | { readonly kind: 'more'; readonly reply: Uint8Array }
  | { readonly kind: 'request'; readonly reply: Uint8Array; readonly request: SocksRequest; readonly rest: Uint8Array }
  | {
      readonly kind: 'refused';
      readonly reply: Uint8Array;
      readonly refusal: 'malformed' | 'credentials' | 'unsupported';
    };

const NOTHING = new Uint8Array(0);
const COMMANDS: ReadonlyMap<number, SocksRequest['command']> = new Map([
  [Command.Connect, 'connect'],
  [Command.Bind, 'bind'],
  [Command.UdpAssociate, 'udp-associate'],
]);

/**
 * The dialogue before a SOCKS connection carries data, without any I/O: bytes in, replies and a request out.
 *
 *     version 5:  greeting ─▶ method ─▶ [credentials ─▶] request
 *     version 4:  request
 *
 * However the bytes are cut, the result is the same. The buffer never holds more than one unfinished message.
 */
export class SocksHandshake {
  readonly #credentials: CredentialCheck | undefined;
  #state: 'greeting' | 'credentials' | 'request' = 'greeting';
  #buffer: Uint8Array = NOTHING;
  #reply: Uint8Array = NOTHING;

  /** @param credentials Absent: everybody is served. */
  constructor(credentials: CredentialCheck | undefined) {
    this.#credentials = credentials;
  }

  /** The bytes of a message that is not complete yet. */
  get waitingBytes(): number {
    return this.#buffer.length;
  }

  /** Takes the next bytes of the client. After a request or a refusal it must not be called again. */
  take(chunk: Uint8Array): HandshakeStep {
    this.#buffer = this.#buffer.length === 0 ? chunk : Buffer.concat([this.#buffer, chunk]);
    this.#reply = NOTHING;
    for (;;) {
      const step = this.#step();
      if (step !== undefined) return step;
    }
  }

  /** @returns `undefined` if a message was read and the next one may be there. */
  #step(): HandshakeStep | undefined {
    if (this.#state === 'credentials') return this.#takeCredentials();
    if (this.#state === 'request') return this.#takeRequest();
    return this.#buffer[0] === VERSION_4 ? this.#takeRequest4() : this.#takeGreeting();
  }

  #takeGreeting(): HandshakeStep | undefined {
    const parsed = parseGreeting(this.#buffer);
    if (parsed.kind === 'malformed') return this.#refuse('malformed');
    if (parsed.kind === 'incomplete') return this.#wait();
    const isFree = this.#credentials === undefined;
    // A client may offer nothing but a password to a listener that wants none.
    if (isFree && parsed.message.includes(Method.None)) return this.#choose(parsed.bytes, Method.None, 'request');
    if (parsed.message.includes(Method.Credentials))
      return this.#choose(parsed.bytes, Method.Credentials, 'credentials');
    return this.#refuse(isFree ? 'unsupported' : 'credentials', formatMethod(Method.Unacceptable));
  }

  #takeCredentials(): HandshakeStep | undefined {
    const parsed = parseCredentials(this.#buffer);
    if (parsed.kind === 'malformed') return this.#refuse('malformed', formatCredentialsReply(false));
    if (parsed.kind === 'incomplete') return this.#wait();
    const { username, password } = parsed.message;
    const isAccepted = this.#credentials?.accepts(username, password) ?? true;
    if (!isAccepted) return this.#refuse('credentials', formatCredentialsReply(false));
    this.#advance(parsed.bytes, formatCredentialsReply(true), 'request');
    return undefined;
  }

  #takeRequest(): HandshakeStep {
    const parsed = parseRequest(this.#buffer);
    if (parsed.kind === 'incomplete') return this.#wait();
    if (parsed.kind === 'malformed') return this.#refuse('malformed', formatReply(Reply.GeneralFailure));
    if (parsed.kind === 'unknown-address-type')
      return this.#refuse('unsupported', formatReply(Reply.AddressTypeNotSupported));
    const command = COMMANDS.get(parsed.message.command);
    if (command === undefined) return this.#refuse('unsupported', formatReply(Reply.CommandNotSupported));
    return this.#finish({ version: 5, command, destination: parsed.message.destination }, parsed.bytes);
  }

  #takeRequest4(): HandshakeStep {
    const parsed = parseRequest4(this.#buffer);
    if (parsed.kind === 'incomplete') return this.#wait();
    if (parsed.kind === 'malformed') return this.#refuse('malformed', formatReply4(Reply4.Rejected));
    // Version 4 has no password.
    if (this.#credentials !== undefined) return this.#refuse('credentials', formatReply4(Reply4.UserRejected));
    if (parsed.message.command !== Command.Connect) return this.#refuse('unsupported', formatReply4(Reply4.Rejected));
    return this.#finish({ version: 4, command: 'connect', destination: parsed.message.destination }, parsed.bytes);
  }

  #choose(bytes: number, method: number, next: 'credentials' | 'request'): undefined {
    this.#advance(bytes, formatMethod(method), next);
  }

  #advance(bytes: number, reply: Uint8Array, next: 'credentials' | 'request'): void {
    this.#buffer = this.#buffer.subarray(bytes);
    this.#reply = Buffer.concat([this.#reply, reply]);
    this.#state = next;
  }

  #wait(): HandshakeStep {
    return { kind: 'more', reply: this.#reply };
  }

  #finish(request: SocksRequest, bytes: number): HandshakeStep {
    const rest = this.#buffer.subarray(bytes);
    this.#buffer = NOTHING;
    return { kind: 'request', reply: this.#reply, request, rest };
  }

  #refuse(refusal: 'malformed' | 'credentials' | 'unsupported', reply: Uint8Array = NOTHING): HandshakeStep {
    this.#buffer = NOTHING;
    return { kind: 'refused', reply: Buffer.concat([this.#reply, reply]), refusal };
  }
}
