import type { AuditEntry } from '../gateway/gateway-store.js';

/** The rights of a person, from everything to his own devices only. The server knows the scopes of each. */
export type Role = 'owner' | 'admin' | 'operator' | 'viewer' | 'member';

/** A person who can sign in. */
export interface Person {
  /** Stable, made by the server, safe in URLs. */
  readonly id: string;
  /** For signing in; unique, whatever the case of its letters. */
  readonly name: string;
  readonly role: Role;
  /** PHC string. Absent: no password. */
  readonly passwordHash?: string;
  readonly totp?: TotpSecret;
  /** SHA-256 in hex, of the codes that are not used. */
  readonly recoveryCodeHashes: readonly string[];
  /** Account at an OpenID provider; unique. */
  readonly identity?: { readonly issuer: string; readonly subject: string };
  /** His sessions and tokens end with the change that sets it. */
  readonly isDisabled: boolean;
  readonly language?: 'en' | 'zh-CN';
  readonly createdAtUnixMs: number;
}

/** Secret of one-time passwords (RFC 6238). */
export interface TotpSecret {
  /** Base32. */
  readonly secret: string;
  /** The last accepted time step: it and those before are not accepted again (RFC 6238 §5.2). -1: none was. */
  readonly lastStep: number;
}

/** A public key of an authenticator (WebAuthn). */
export interface Passkey {
  /** Credential id, base64url; unique. */
  readonly id: string;
  readonly person: string;
  /** Its owner's name for it. */
  readonly name: string;
  /** COSE key, base64url. */
  readonly publicKey: string;
  /** Signature counter, as of the last use. */
  readonly counter: number;
  readonly transports: readonly string[];
  readonly createdAtUnixMs: number;
  readonly lastUsedAtUnixMs?: number;
}

/** A browser in which a person is signed in. */
export interface SignIn {
  /** SHA-256 in hex of the id in the cookie. */
  readonly idHash: string;
  readonly person: string;
  readonly method: 'password' | 'passkey' | 'oidc' | 'link';
  readonly createdAtUnixMs: number;
  readonly lastUsedAtUnixMs: number;
  /** It ends then, used or not. */
  readonly expiresAtUnixMs: number;
  /** When the person last proved his identity, for what needs a fresh proof. */
  readonly provedAtUnixMs: number;
  readonly address: string;
  readonly userAgent: string;
}

/** A key for programs. */
export interface ApiToken {
  /** The part of the token that is no secret. */
  readonly id: string;
  /** SHA-256 of the token in hex. */
  readonly hash: string;
  readonly name: string;
  /** Whose rights bound it; it goes with the person. Absent: made by the command line. */
  readonly person?: string;
  /** Such as `devices:read`. */
  readonly scopes: readonly string[];
  /** Only devices with one of these tags. Absent: all. */
  readonly tags?: readonly string[];
  readonly createdAtUnixMs: number;
  /** Absent: it does not expire. */
  readonly expiresAtUnixMs?: number;
  readonly lastUsedAtUnixMs?: number;
}

/** A link that works once: the first start, an invitation, a lost password, a device's file. */
export interface OneTimeLink {
  /** SHA-256 of its secret in hex. */
  readonly hash: string;
  readonly purpose: 'setup' | 'invitation' | 'recovery' | 'device-file';
  /** Whom it is for, where the person exists: it goes with the person. */
  readonly person?: string;
  /** The role of the person that takes an invitation. */
  readonly role?: Role;
  /** Id of the device whose file it gives. */
  readonly device?: string;
  /** The actor, as in the audit log. */
  readonly createdBy: string;
  readonly createdAtUnixMs: number;
  readonly expiresAtUnixMs: number;
}

/** A change of people and of how they sign in, with its line in the audit log: all is kept, or nothing. */
export interface PeopleChange {
  readonly putPeople?: readonly Person[];
  /** Ids. Passkeys, sign-ins, tokens and links of a person go with the person. */
  readonly removePeople?: readonly string[];
  readonly putPasskeys?: readonly Passkey[];
  /** Ids. */
  readonly removePasskeys?: readonly string[];
  readonly putSignIns?: readonly SignIn[];
  /** Hashes of ids. */
  readonly endSignIns?: readonly string[];
  /** Ids of people who are signed out everywhere, before new sign-ins are put. */
  readonly signOutPeople?: readonly string[];
  readonly putTokens?: readonly ApiToken[];
  /** Ids. */
  readonly removeTokens?: readonly string[];
  readonly putLinks?: readonly OneTimeLink[];
  /** Hashes. */
  readonly removeLinks?: readonly string[];
  readonly audit: AuditEntry;
}

/** Keeps people, and the proofs of their identity. */
export interface PeopleStore {
  people(): Promise<readonly Person[]>;
  person(id: string): Promise<Person | undefined>;
  /** @param name In any case of its letters. */
  personNamed(name: string): Promise<Person | undefined>;
  personOfIdentity(issuer: string, subject: string): Promise<Person | undefined>;
  /** Resolves when the change is on disk. @returns The new revision. @throws {WireGuardError} ERR_VALUE: a name is taken. */
  changePeople(change: PeopleChange): Promise<number>;

  passkeys(person: string): Promise<readonly Passkey[]>;
  passkey(id: string): Promise<Passkey | undefined>;
  /** Notes a use. @returns `false`: the counter did not grow, so the authenticator may be a copy. Counters of 0 pass. */
  passkeyUsed(id: string, counter: number, atUnixMs: number): Promise<boolean>;
  /** Accepts a time step once. @returns `false`: this step, or a later one, was accepted before. */
  acceptTotpStep(person: string, step: number): Promise<boolean>;
  /** Accepts a recovery code once. */
  acceptRecoveryCode(person: string, hash: string): Promise<boolean>;

  /** @returns `undefined` also for one that has expired at `nowUnixMs`. */
  signIn(idHash: string, nowUnixMs: number): Promise<SignIn | undefined>;
  signIns(person: string): Promise<readonly SignIn[]>;
  /** Notes a use, to the minute. */
  signInUsed(idHash: string, atUnixMs: number): Promise<void>;

  tokens(): Promise<readonly ApiToken[]>;
  /** @returns `undefined` also for one that has expired at `nowUnixMs`. */
  token(hash: string, nowUnixMs: number): Promise<ApiToken | undefined>;
  /** Notes a use, to the minute. */
  tokenUsed(id: string, atUnixMs: number): Promise<void>;

  links(): Promise<readonly OneTimeLink[]>;
  /** Looks at a link without using it. */
  link(hash: string, nowUnixMs: number): Promise<OneTimeLink | undefined>;
  /**
   * Uses a link up, together with what it is for.
   *
   * @returns `undefined`, with nothing changed, if it was used before, has expired, or never was.
   */
  takeLink(hash: string, change: PeopleChange): Promise<OneTimeLink | undefined>;
}
