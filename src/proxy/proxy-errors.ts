import type {} from '../control/control-errors.js';
import type {} from '../host/host-errors.js';

/** Errors of the proxy, with the advice for each. */
export const PROXY_ERRORS = {
  ERR_LISTEN: 'Choose another address or port, or end the program that holds it (ss -lntp shows it).',
  ERR_CERTIFICATE: 'certFile and keyFile are PEM files that belong together; check their paths and permissions.',
  ERR_OPEN_PROXY:
    'Set a password (--user NAME and WIRETYPE_PROXY_PASSWORD, or Username and Password in the file), listen on 127.0.0.1, or let everyone in with --open.',
  ERR_NO_CONNECTION: 'Check the name and the port, and whether the AllowedIPs of a peer lead there.',
} as const;

type Own = typeof PROXY_ERRORS;

declare module '../core/errors.js' {
  interface ErrorCodes extends Record<keyof Own, string> {}
}
