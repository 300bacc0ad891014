/**
 * The errors that users can meet, with the advice for each.
 *
 * Codes are public and never change their meaning. Each floor owns the codes that it throws: it has a table of its own
 * (`CORE_ERRORS`, `HOST_ERRORS`, `CONTROL_ERRORS`, `STORE_ERRORS`, `CLI_ERRORS`) and merges the codes into `ErrorCodes`.
 * The compiler thus refuses a code that belongs to a floor above. `src/index.ts` and `src/cli/error-text.ts` join the tables, and
 * `test/docs/errors.test.ts` compares them with `docs/errors.md`.
 */
export const CORE_ERRORS = {
  ERR_TOO_MANY_PEERS: 'A device holds at most 65,536 peers: remove some, or use a second interface.',
} as const;

/** Advice by code, as far as the floors that are compiled have merged their codes. */
export interface ErrorCodes extends Record<keyof typeof CORE_ERRORS, string> {
  /** A host refuses the `listenPort` of a change. The advice is the host's. */
  ERR_PORT_IN_USE: string;
  /** A host refuses the `firewallMark` of a change. The advice is the host's. */
  ERR_SOCKET_MARK: string;
}

export type ErrorCode = keyof ErrorCodes;

/** A mistake in what a user supplied, or a refusal by the system. Messages name the place, never a secret. */
export class WireGuardError extends Error {
  override readonly name = 'WireGuardError';
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
