import type {} from '../control/control-errors.js';

/** Errors of the server that users of the command line meet, with the advice for each. */
export const SERVER_ERRORS = {
  ERR_TLS_FILES: '--tls-cert and --tls-key are PEM files that belong together; check their paths and permissions.',
  ERR_PAGE_LISTEN: 'Choose another address or port with --page, or end the program that holds it.',
} as const;

type Own = typeof SERVER_ERRORS;

declare module '../core/errors.js' {
  interface ErrorCodes extends Record<keyof Own, string> {}
}

/** A refusal with the status of HTTP that fits (RFC 9110 §15). The code is stable, for programs. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  readonly code: ApiErrorCode;

  constructor(code: ApiErrorCode, message: string) {
    super(message);
    this.code = code;
    this.status = STATUSES[code];
  }
}

const STATUSES = {
  ERR_INPUT: 422,
  ERR_NOT_FOUND: 404,
  ERR_SIGN_IN: 401,
  ERR_STEP_UP: 401,
  ERR_SCOPE: 403,
  ERR_ORIGIN: 403,
  ERR_HOST: 421,
  ERR_CHANGED: 412,
  ERR_TAKEN: 409,
  ERR_MEDIA_TYPE: 415,
  ERR_TOO_LARGE: 413,
  ERR_ATTEMPTS: 429,
  ERR_KEY_REUSED: 422,
  ERR_UNAVAILABLE: 501,
  ERR_OIDC: 502,
  ERR_INTERFACE: 409,
} as const;

export type ApiErrorCode = keyof typeof STATUSES;

/** Statuses of the gateway's own errors. */
const STATUS_OF_CODE: Readonly<Record<string, number>> = {
  ERR_INVITATION: 410,
  ERR_ENROLMENT: 422,
  ERR_NO_DEVICE: 404,
  ERR_DEVICE_EXISTS: 409,
  ERR_SUBNET_FULL: 409,
  ERR_CHANGED_MEANWHILE: 412,
  ERR_VALUE: 422,
  ERR_KEY_FORMAT: 422,
  ERR_GATEWAY_SETTINGS: 422,
};

export function statusOf(error: { readonly code: string }): number {
  return error instanceof ApiError ? error.status : (STATUS_OF_CODE[error.code] ?? 503);
}
