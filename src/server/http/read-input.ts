import * as v from 'valibot';

import type { Operation } from '../operations/operation.js';
import { ApiError } from '../server-errors.js';

export interface RawInput {
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** Text of the body; empty: there is none. */
  readonly body: string;
  readonly contentType: string | undefined;
}

/**
 * Reads the input of an operation: members of the path, then the query of a GET or the JSON of a body. The schema is strict.
 *
 * @throws {ApiError} ERR_INPUT, ERR_MEDIA_TYPE
 */
export function readInput({ method, input }: Operation, raw: RawInput): unknown {
  const given = method === 'GET' || method === 'DELETE' ? fromQuery(input, raw.query) : fromBody(raw);
  for (const name of Object.keys(raw.params))
    if (name in given) throw new ApiError('ERR_INPUT', `${name}: it stands in the path`);
  const result = v.safeParse(input, { ...given, ...raw.params });
  if (result.success) return result.output;
  const [issue] = result.issues;
  throw new ApiError('ERR_INPUT', `${v.getDotPath(issue) ?? 'body'}: ${issue.message}`);
}

function fromBody({ body, contentType }: RawInput): Record<string, unknown> {
  if (body === '') return {};
  if (contentType?.split(';')[0]?.trim().toLowerCase() !== 'application/json')
    throw new ApiError('ERR_MEDIA_TYPE', 'the content type application/json is expected');
  const parsed = parseJson(body);
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed))
    throw new ApiError('ERR_INPUT', 'body: a JSON object is expected');
  // Members that the language gives a meaning are no members of ours.
  return Object.fromEntries(Object.entries(parsed).filter(([name]) => name !== '__proto__'));
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    throw new ApiError('ERR_INPUT', 'body: it is not JSON');
  }
}

/** Numbers of a query are text: they become numbers where the schema has a number. */
function fromQuery(input: v.GenericSchema, query: URLSearchParams): Record<string, unknown> {
  const entries = (input as { entries?: Record<string, v.GenericSchema> }).entries ?? {};
  const given: Record<string, unknown> = {};
  for (const [name, text] of query) {
    const isNumber = entries[name] !== undefined && v.is(entries[name], 1) && !v.is(entries[name], '1');
    given[name] = isNumber && /^-?\d{1,16}$/.test(text) ? Number(text) : text;
  }
  return given;
}
