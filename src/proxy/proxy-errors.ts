import type {} from '../control/control-errors.js';
import type {} from '../host/host-errors.js';

/** Errors of the proxy, with the advice for each. */
export const PROXY_ERRORS = {
  ERR_LISTEN: 'Choose another address or port, or end the program that holds it (ss -lntp shows it).',
  ERR_CERTIFICATE: 'certFile and keyFile are PEM files that belong together; check their paths and permissions.',
} as const;

type Own = typeof PROXY_ERRORS;

declare module '../core/errors.js' {
  interface ErrorCodes extends Record<keyof Own, string> {}
}
