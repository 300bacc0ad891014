import { ApiError } from '../server-errors.js';

const MAX_BODY_BYTES = 1024 * 1024;

/** Reads a body as UTF-8, up to 1 MiB unless more is expected. @throws {ApiError} ERR_TOO_LARGE */
export async function readBody(body: ReadableStream<Uint8Array> | null, maxBytes = MAX_BODY_BYTES): Promise<string> {
  if (body === null) return '';
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body as ReadableStream<Uint8Array> & AsyncIterable<Uint8Array>) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw new ApiError('ERR_TOO_LARGE', `body: at most ${maxBytes / 1024 ** 2} MiB`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
