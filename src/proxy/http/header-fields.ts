/**
 * Header fields of forwarded messages, as flat lists of names and values in the order and spelling of the sender.
 *
 * Source: RFC 9110 §7.6.1 (hop-by-hop fields), §11.7 (fields between client and proxy); RFC 9112 §3.2.2 (Host), §6 (framing).
 */

/** Fields of one connection, which an intermediary removes. `Trailer` goes because trailers are not forwarded. */
const HOP_BY_HOP = new Set([
  'connection',
  'proxy-connection',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'proxy-authorization',
  'proxy-authenticate',
  'proxy-authentication-info',
]);
/** `Connection` cannot take away fields that belong to the message itself. */
const NEVER_NOMINATED = new Set(['host', 'content-length', 'authorization', 'cookie', 'set-cookie', 'cache-control']);

/** The fields of a message that are forwarded. */
export function endToEndFields(rawFields: readonly string[]): string[] {
  const nominated = connectionOptions(rawFields);
  const fields: string[] = [];
  for (let i = 0; i + 1 < rawFields.length; i += 2) {
    const name = rawFields[i]!.toLowerCase();
    if (!HOP_BY_HOP.has(name) && !nominated.has(name)) fields.push(rawFields[i]!, rawFields[i + 1]!);
  }
  return fields;
}

/** The fields of a request to an origin server: `Host` names the server of the target, whatever the client sent. */
export function requestFields(rawFields: readonly string[], authority: string): string[] {
  const fields = ['Host', authority];
  const endToEnd = endToEndFields(rawFields);
  for (let i = 0; i < endToEnd.length; i += 2)
    if (endToEnd[i]!.toLowerCase() !== 'host') fields.push(endToEnd[i]!, endToEnd[i + 1]!);
  return fields;
}

/** The means by which a message gives the length of its body. */
export type Framing = 'none' | 'length' | 'chunked' | 'unknown-coding';

/** @returns `unknown-coding` if there is a transfer coding other than `chunked` alone: the body cannot be forwarded as it is. */
export function framingOf(rawFields: readonly string[]): Framing {
  const codings = valuesOf(rawFields, 'transfer-encoding');
  if (codings.length > 0) return codings.length === 1 && isChunked(codings[0]!) ? 'chunked' : 'unknown-coding';
  return valuesOf(rawFields, 'content-length').length > 0 ? 'length' : 'none';
}

export function valuesOf(rawFields: readonly string[], name: string): string[] {
  const values: string[] = [];
  for (let i = 0; i + 1 < rawFields.length; i += 2)
    if (rawFields[i]!.toLowerCase() === name) values.push(rawFields[i + 1]!);
  return values;
}

function isChunked(coding: string): boolean {
  return coding.trim().toLowerCase() === 'chunked';
}

/** The names of fields that `Connection` declares to be of this connection. */
function connectionOptions(rawFields: readonly string[]): ReadonlySet<string> {
  const options = new Set<string>();
  for (const value of valuesOf(rawFields, 'connection'))
    for (const option of value.split(',')) {
      const name = option.trim().toLowerCase();
      if (!NEVER_NOMINATED.has(name)) options.add(name);
    }
  return options;
}
