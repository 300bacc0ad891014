import { ApiError } from '../server-errors.js';

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS']);

export interface OriginFacts {
  readonly method: string;
  /** The origin that the page of this server has. */
  readonly ownOrigin: string;
  readonly origin: string | undefined;
  readonly fetchSite: string | undefined;
  /** A stream of events is read by pages as well, so it is checked although it is safe. */
  readonly isStream: boolean;
}

/**
 * Refuses what another page makes a browser send. Programs send neither header, and no cookie.
 *
 * Browsers send `Sec-Fetch-Site` to trustworthy origins only: where it is missing, `Origin` counts.
 *
 * @throws {ApiError} ERR_ORIGIN
 */
export function checkOrigin({ method, ownOrigin, origin, fetchSite, isStream }: OriginFacts): void {
  if (SAFE.has(method) && !isStream) return;
  const isOwn =
    fetchSite === undefined
      ? origin === undefined || origin === ownOrigin
      : fetchSite === 'same-origin' || fetchSite === 'none';
  if (!isOwn) throw new ApiError('ERR_ORIGIN', 'the request comes from the page of another site');
}
