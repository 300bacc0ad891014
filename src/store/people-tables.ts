import type { AuditLog } from './audit-log.js';
import type { Database } from './database.js';
import type { ApiToken, OneTimeLink, Passkey, PeopleChange, Person, SignIn } from './people-store.js';
import { RecordTable } from './record-table.js';

/** Uses of sign-ins and tokens are noted no closer than this: each note is a write to the disk. */
const NOTE_EVERY_MS = 60_000;

/** The tables of people, their passkeys, sign-ins, tokens and links: what `PeopleStore` says, in this thread. */
export class PeopleTables {
  readonly #database: Database;
  readonly #audit: AuditLog;
  readonly #people: RecordTable<Person>;
  readonly #passkeys: RecordTable<Passkey>;
  readonly #signIns: RecordTable<SignIn>;
  readonly #tokens: RecordTable<ApiToken>;
  readonly #links: RecordTable<OneTimeLink>;

  constructor(database: Database, audit: AuditLog) {
    this.#database = database;
    this.#audit = audit;
    this.#people = new RecordTable(database, 'people', {
      id: ({ id }) => id,
      name: ({ name }) => name,
      identity: ({ identity }) => (identity === undefined ? null : identityText(identity.issuer, identity.subject)),
    });
    this.#passkeys = new RecordTable(database, 'passkeys', { id: ({ id }) => id, person: ({ person }) => person });
    this.#signIns = new RecordTable(database, 'sign_ins', {
      id_hash: ({ idHash }) => idHash,
      person: ({ person }) => person,
      expires_at_unix_ms: ({ expiresAtUnixMs }) => expiresAtUnixMs,
    });
    this.#tokens = new RecordTable(database, 'tokens', {
      id: ({ id }) => id,
      hash: ({ hash }) => hash,
      person: ({ person }) => person ?? null,
    });
    this.#links = new RecordTable(database, 'links', {
      hash: ({ hash }) => hash,
      person: ({ person }) => person ?? null,
      expires_at_unix_ms: ({ expiresAtUnixMs }) => expiresAtUnixMs,
    });
  }

  people(): readonly Person[] {
    return this.#database.attempt(() => this.#people.all());
  }

  person(id: string): Person | undefined {
    return this.#database.attempt(() => this.#people.get(id));
  }

  personNamed(name: string): Person | undefined {
    return this.#database.attempt(() => this.#people.where('name = ?', name)[0]);
  }

  personOfIdentity(issuer: string, subject: string): Person | undefined {
    return this.#database.attempt(() => this.#people.where('identity = ?', identityText(issuer, subject))[0]);
  }

  change(change: PeopleChange): number {
    return this.#database.transaction(() => this.#apply(change));
  }

  passkeys(person: string): readonly Passkey[] {
    return this.#database.attempt(() => this.#passkeys.where('person = ?', person));
  }

  passkey(id: string): Passkey | undefined {
    return this.#database.attempt(() => this.#passkeys.get(id));
  }

  passkeyUsed(id: string, counter: number, atUnixMs: number): boolean {
    return this.#database.transaction(() => {
      // An authenticator without a counter sends 0 each time (WebAuthn Level 2 §7.2, step 21).
      const grows = "(? = 0 AND record ->> '$.counter' = 0) OR record ->> '$.counter' < ?";
      if (!this.#passkeys.setMember(id, '$.counter', counter, grows, counter, counter)) return false;
      return this.#passkeys.setMember(id, '$.lastUsedAtUnixMs', atUnixMs, 'TRUE');
    });
  }

  acceptTotpStep(person: string, step: number): boolean {
    return this.#database.transaction(() =>
      this.#people.setMember(person, '$.totp.lastStep', step, "record ->> '$.totp.lastStep' < ?", step),
    );
  }

  acceptRecoveryCode(person: string, hash: string): boolean {
    return this.#database.transaction(() => {
      const found = this.#people.get(person);
      if (found === undefined || !found.recoveryCodeHashes.includes(hash)) return false;
      this.#people.put({ ...found, recoveryCodeHashes: found.recoveryCodeHashes.filter((kept) => kept !== hash) });
      return true;
    });
  }

  signIn(idHash: string, nowUnixMs: number): SignIn | undefined {
    return this.#database.attempt(
      () => this.#signIns.where('id_hash = ? AND expires_at_unix_ms > ?', idHash, nowUnixMs)[0],
    );
  }

  signIns(person: string): readonly SignIn[] {
    return this.#database.attempt(() => this.#signIns.where('person = ?', person));
  }

  signInUsed(idHash: string, atUnixMs: number): void {
    this.#note(this.#signIns, idHash, atUnixMs);
  }

  tokens(): readonly ApiToken[] {
    return this.#database.attempt(() => this.#tokens.all());
  }

  token(hash: string, nowUnixMs: number): ApiToken | undefined {
    const [token] = this.#database.attempt(() => this.#tokens.where('hash = ?', hash));
    const hasExpired = token?.expiresAtUnixMs !== undefined && token.expiresAtUnixMs <= nowUnixMs;
    return hasExpired ? undefined : token;
  }

  tokenUsed(id: string, atUnixMs: number): void {
    this.#note(this.#tokens, id, atUnixMs);
  }

  links(): readonly OneTimeLink[] {
    return this.#database.attempt(() => this.#links.all());
  }

  link(hash: string, nowUnixMs: number): OneTimeLink | undefined {
    return this.#database.attempt(() => this.#links.where('hash = ? AND expires_at_unix_ms > ?', hash, nowUnixMs)[0]);
  }

  takeLink(hash: string, change: PeopleChange): OneTimeLink | undefined {
    return this.#database.transaction(() => {
      const link = this.link(hash, change.audit.atUnixMs);
      if (link === undefined) return undefined;
      this.#links.remove(hash);
      this.#apply(change);
      return link;
    });
  }

  #note(table: RecordTable<SignIn> | RecordTable<ApiToken>, key: string, atUnixMs: number): void {
    const isOld = "coalesce(record ->> '$.lastUsedAtUnixMs', 0) <= ?";
    this.#database.attempt(() => table.setMember(key, '$.lastUsedAtUnixMs', atUnixMs, isOld, atUnixMs - NOTE_EVERY_MS));
  }

  #apply(change: PeopleChange): number {
    for (const id of change.removePeople ?? []) this.#people.remove(id);
    for (const person of change.putPeople ?? []) this.#putPerson(person);
    for (const id of change.signOutPeople ?? []) this.#signIns.removeWhere('person = ?', id);
    for (const id of change.removePasskeys ?? []) this.#passkeys.remove(id);
    for (const passkey of change.putPasskeys ?? []) this.#passkeys.put(passkey);
    for (const idHash of change.endSignIns ?? []) this.#signIns.remove(idHash);
    for (const signIn of change.putSignIns ?? []) this.#signIns.put(signIn);
    for (const id of change.removeTokens ?? []) this.#tokens.remove(id);
    for (const token of change.putTokens ?? []) this.#tokens.put(token);
    for (const hash of change.removeLinks ?? []) this.#links.remove(hash);
    for (const link of change.putLinks ?? []) this.#links.put(link);
    this.#removeExpired(change.audit.atUnixMs);
    return this.#audit.append(change.audit);
  }

  #putPerson(person: Person): void {
    this.#people.put(person);
    if (!person.isDisabled) return;
    this.#signIns.removeWhere('person = ?', person.id);
    this.#tokens.removeWhere('person = ?', person.id);
  }

  #removeExpired(nowUnixMs: number): void {
    this.#signIns.removeWhere('expires_at_unix_ms <= ?', nowUnixMs);
    this.#links.removeWhere('expires_at_unix_ms <= ?', nowUnixMs);
  }
}

/** An issuer is a URL, which has no spaces. */
function identityText(issuer: string, subject: string): string {
  return `${issuer} ${subject}`;
}
