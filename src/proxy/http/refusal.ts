import { STATUS_CODES } from 'node:http';

import type { RouteError, RouteFailure } from '../rules/route-error.js';
import type { Refusal } from '../server/proxy-counters.js';
import { CHALLENGE } from './basic-auth.js';

/** A request that the proxy answers itself: the status, and one sentence for the user. */
export interface HttpRefusal {
  readonly status: number;
  readonly refusal: Refusal;
  readonly sentence: string;
  /** Further fields: names and values in turn. */
  readonly fields?: readonly string[];
}

const STATUSES: Record<RouteFailure, number> = {
  blocked: 403,
  'invalid-host': 400,
  'name-not-found': 502,
  refused: 502,
  'network-unreachable': 502,
  'host-unreachable': 502,
  'timed-out': 504,
  reset: 502,
  failed: 502,
};

export const NEEDS_CREDENTIALS: HttpRefusal = {
  status: 407,
  refusal: 'credentials',
  sentence: 'The proxy needs a user name and a password.',
  fields: CHALLENGE,
};

export function malformed(sentence: string, status = 400): HttpRefusal {
  return { status, refusal: 'malformed', sentence };
}

/** Turns a connection that did not come about into an answer. */
export function refusalOf({ failure, message }: RouteError): HttpRefusal {
  return { status: STATUSES[failure], refusal: failure, sentence: `${capitalize(message)}.` };
}

/** The fields of an answer: names and values in turn. */
export function refusalFields({ fields = [] }: HttpRefusal, body: Buffer): string[] {
  const own = ['Content-Type', 'text/plain; charset=utf-8', 'Content-Length', String(body.length)];
  return [...own, 'Cache-Control', 'no-store', ...fields];
}

export function refusalBody({ sentence }: HttpRefusal): Buffer {
  return Buffer.from(`${sentence}\n`);
}

/** Writes a whole answer, after which the connection closes. */
export function formatRefusal(refusal: HttpRefusal): Buffer {
  const body = refusalBody(refusal);
  const fields = [...refusalFields(refusal, body), 'Connection', 'close'];
  return Buffer.concat([
    Buffer.from(formatHead(refusal.status, STATUS_CODES[refusal.status] ?? '', fields), 'latin1'),
    body,
  ]);
}

/** Writes status line and fields. */
export function formatHead(status: number, reason: string, fields: readonly string[]): string {
  const lines = [`HTTP/1.1 ${status} ${reason}`];
  for (let i = 0; i + 1 < fields.length; i += 2) lines.push(`${fields[i]}: ${fields[i + 1]}`);
  return `${lines.join('\r\n')}\r\n\r\n`;
}

function capitalize(sentence: string): string {
  return sentence.charAt(0).toUpperCase() + sentence.slice(1);
}
