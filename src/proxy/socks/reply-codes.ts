import type { RouteFailure } from '../rules/route-error.js';
import { formatReply4, Reply4 } from './socks4-messages.js';
import { formatReply, Reply } from './socks5-messages.js';

/** The code of SOCKS version 5 for each way in which a connection does not come about (RFC 1928 §6). */
const CODES: Record<RouteFailure, number> = {
  blocked: Reply.NotAllowed,
  'invalid-host': Reply.GeneralFailure,
  'name-not-found': Reply.HostUnreachable,
  refused: Reply.ConnectionRefused,
  'network-unreachable': Reply.NetworkUnreachable,
  'host-unreachable': Reply.HostUnreachable,
  'timed-out': Reply.TtlExpired,
  reset: Reply.ConnectionRefused,
  failed: Reply.GeneralFailure,
};

/** Writes the reply to a request that failed. */
export function formatFailure(version: 4 | 5, failure: RouteFailure): Uint8Array {
  return version === 4 ? formatReply4(Reply4.Rejected) : formatReply(CODES[failure]);
}
