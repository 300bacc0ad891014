/**
 * Every error a user can meet, with the advice that goes with it.
 *
 * Codes are public and never change their meaning. `docs/errors.md` lists them, and
 * `test/docs/errors.test.ts` fails when the two differ.
 */
export const ERROR_CODES = {
  ERR_KEY_FORMAT: 'A key is 32 bytes in base64: 44 characters, ending with "=".',
  ERR_USAGE: 'Run the command with --help to see how it is called.',
  ERR_TOO_MANY_PEERS: 'A device holds at most 65,536 peers: remove some, or use a second interface.',
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;

/** Something that a user gave us, or that the system refused. Messages name the place, never the secret. */
export class WireGuardError extends Error {
  override readonly name = 'WireGuardError';
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
