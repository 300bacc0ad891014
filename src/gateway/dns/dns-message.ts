import { readUint16, writeUint16 } from '../../wire/ip-header.js';

/**
 * The few fields of a DNS message that a forwarder looks at: the rest is carried as it is.
 *
 * ```text
 *  0     2       4         6         8         10        12
 *  | id  | flags | QDCOUNT | ANCOUNT | NSCOUNT | ARCOUNT | question | records
 * ```
 *
 * Source: RFC 1035 §4.1.
 */
export const DNS_HEADER_BYTES = 12;
/** The longest name, with the length bytes of its labels (RFC 1035 §2.3.4). */
const MAX_NAME_BYTES = 255;
const MAX_LABEL_BYTES = 63;
const IS_RESPONSE = 0x8000;
const IS_TRUNCATED = 0x0200;
const RECURSION_DESIRED = 0x0100;
const RECURSION_AVAILABLE = 0x0080;
const OPCODE_AND_RD = 0x7900;
const RCODE_MASK = 0x000f;
const TYPE_OPT = 41;

export const RCODE = { NoError: 0, ServFail: 2, NameError: 3, Refused: 5 } as const;
export const TYPE_A = 1;
export const TYPE_AAAA = 28;
const CLASS_IN = 1;
/** How long the gateway's own address may be kept. */
const OWN_TTL_SECONDS = 60;
/** A pointer to the name of the question (RFC 1035 §4.1.4). */
const QUESTION_POINTER = 0xc00c;

/** The only question of a query. */
export interface DnsQuestion {
  /** Lower case, without the last dot. */
  readonly name: string;
  readonly type: number;
  /** Where the question ends in the message. */
  readonly endAt: number;
}

/** @returns `undefined` for what is no query with exactly one question. */
export function readQuery(message: Uint8Array): DnsQuestion | undefined {
  if (message.length < DNS_HEADER_BYTES || (readUint16(message, 2) & IS_RESPONSE) !== 0) return undefined;
  return readQuestion(message);
}

function readQuestion(message: Uint8Array): DnsQuestion | undefined {
  if (message.length < DNS_HEADER_BYTES || readUint16(message, 4) !== 1) return undefined;
  const labels: string[] = [];
  let at = DNS_HEADER_BYTES;
  for (;;) {
    const length = message[at];
    if (length === undefined || length > MAX_LABEL_BYTES || at - DNS_HEADER_BYTES > MAX_NAME_BYTES) return undefined;
    if (length === 0) break;
    labels.push(Buffer.from(message.subarray(at + 1, at + 1 + length)).toString('latin1'));
    at += 1 + length;
  }
  if (at + 5 > message.length) return undefined;
  return { name: labels.join('.').toLowerCase(), type: readUint16(message, at + 1), endAt: at + 5 };
}

/** Tests whether a message answers a query: same id, same question in any case of its letters. */
export function isAnswerTo(answer: Uint8Array, id: number, question: DnsQuestion): boolean {
  if (answer.length < DNS_HEADER_BYTES || readUint16(answer, 0) !== id) return false;
  if ((readUint16(answer, 2) & IS_RESPONSE) === 0) return false;
  const own = readQuestion(answer);
  return own !== undefined && own.name === question.name && own.type === question.type;
}

export function messageId(message: Uint8Array): number {
  return readUint16(message, 0);
}

export function withId(message: Uint8Array, id: number): Uint8Array {
  const copy = copyOf(message);
  writeUint16(copy, 0, id);
  return copy;
}

/** Whether a message says that a name exists, with records. */
export function hasAnswer(message: Uint8Array): boolean {
  return (readUint16(message, 2) & RCODE_MASK) === RCODE.NoError && readUint16(message, 6) > 0;
}

/** Answers a query with a code and nothing else. */
export function answerWithCode(query: Uint8Array, { endAt }: DnsQuestion, code: number): Uint8Array {
  return head(query, endAt, code, 0);
}

/** Answers with one address of 4 or 16 bytes, or with none of the type. */
export function answerWithAddress(query: Uint8Array, { endAt }: DnsQuestion, address?: Uint8Array): Uint8Array {
  const answer = head(query, endAt, RCODE.NoError, address === undefined ? 0 : 1);
  if (address === undefined) return answer;
  const record = new Uint8Array(12 + address.length);
  writeUint16(record, 0, QUESTION_POINTER);
  writeUint16(record, 2, address.length === 4 ? TYPE_A : TYPE_AAAA);
  writeUint16(record, 4, CLASS_IN);
  writeUint16(record, 8, OWN_TTL_SECONDS);
  writeUint16(record, 10, address.length);
  record.set(address, 12);
  return Buffer.concat([answer, record]);
}

/** Cuts an answer that does not fit to its question: the client asks again by TCP (RFC 2181 §9). */
export function truncated(answer: Uint8Array, { endAt }: DnsQuestion): Uint8Array {
  const short = copyOf(answer, endAt);
  writeUint16(short, 2, readUint16(short, 2) | IS_TRUNCATED);
  for (const countAt of [6, 8, 10]) writeUint16(short, countAt, 0);
  return short;
}

/** Returns the greatest answer that a client takes by UDP: that of its OPT record, else 512 bytes (RFC 6891 §6.2.3). */
export function answerLimit(query: Uint8Array, { endAt }: DnsQuestion): number {
  // A query has no other records in practice: OPT follows the question, with the empty name of the root.
  const hasOpt =
    readUint16(query, 6) === 0 &&
    readUint16(query, 8) === 0 &&
    readUint16(query, 10) > 0 &&
    query.length >= endAt + 11 &&
    query[endAt] === 0 &&
    readUint16(query, endAt + 1) === TYPE_OPT;
  return hasOpt ? Math.max(512, readUint16(query, endAt + 3)) : 512;
}

function head(query: Uint8Array, endAt: number, code: number, answers: number): Uint8Array {
  const answer = copyOf(query, endAt);
  const flags = IS_RESPONSE | RECURSION_AVAILABLE | (readUint16(query, 2) & (OPCODE_AND_RD | RECURSION_DESIRED)) | code;
  writeUint16(answer, 2, flags);
  writeUint16(answer, 6, answers);
  writeUint16(answer, 8, 0);
  writeUint16(answer, 10, 0);
  return answer;
}

/** The `slice` of a Buffer shares its memory; that of Uint8Array copies. */
function copyOf(message: Uint8Array, end = message.length): Uint8Array {
  return Uint8Array.prototype.slice.call(message, 0, end);
}
