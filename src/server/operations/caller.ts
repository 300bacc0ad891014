import type { Scope } from './scopes.js';

/** The sender of a request, and how the server knows. */
export interface Caller {
  readonly kind: 'nobody' | 'person' | 'token' | 'device' | 'local';
  /** For the audit log: id of a person or token, `device:ID`, `local` for the owner of the UNIX socket. */
  readonly actor: string;
  readonly scopes: ReadonlySet<Scope>;
  /** Id of the person, also where a token of the person is used. */
  readonly person?: string;
  /** Id of the device from whose tunnel the request comes, whoever is signed in. */
  readonly device?: string;
  /** A token for devices with one of these tags only. */
  readonly tags?: readonly string[];
  /** SHA-256 of the id of the sign-in, in hex. */
  readonly signIn?: string;
  /** When the caller last proved his identity. */
  readonly provedAtUnixMs?: number;
  /** Network address, for limits and logs. */
  readonly address: string;
}
