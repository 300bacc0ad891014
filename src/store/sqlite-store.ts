import type { DeviceSession, GatewayState } from '../gateway/gateway-model.js';
import type { GatewayStore, StateChange } from '../gateway/gateway-store.js';
import type { AuditLine, AuditVerdict } from './audit-log.js';
import { SYSTEM_CLOCK } from './clock.js';
import type { ApiToken, OneTimeLink, Passkey, PeopleChange, PeopleStore, Person, SignIn } from './people-store.js';
import { checkBackup } from './restore.js';
import { loadSqlite } from './sqlite.js';
import { restoreFolder } from './store-folder.js';
import type { StoreHealth } from './store-health.js';
import type { StoredTrafficSample, Traffic } from './traffic-table.js';
import type { Delivery, DeliveryAnswer, Webhook, WebhookChange, WebhookStore } from './webhook-store.js';
import { WorkerClient } from './worker-client.js';

/** Everything that outlives a gateway, in two SQLite files of one folder, written by a thread of its own. */
export class SqliteStore implements GatewayStore, PeopleStore, WebhookStore {
  readonly #client: WorkerClient;

  /**
   * Opens a folder, or creates it with mode 0700.
   *
   * @throws {WireGuardError} ERR_STORE_IN_USE with the id of the other process; ERR_STORE_DAMAGED with the path of the last
   *   backup, for `restoreStore`; ERR_STORE_NEWER, ERR_STORE_FILE, ERR_STORE_FULL, ERR_SQLITE_MISSING.
   */
  static async open(folder: string): Promise<SqliteStore> {
    return new SqliteStore(await WorkerClient.open(folder));
  }

  private constructor(client: WorkerClient) {
    this.#client = client;
  }

  async load(): Promise<GatewayState | undefined> {
    return await this.#client.request('load');
  }

  async commit(change: StateChange): Promise<number> {
    return await this.#client.request('commit', change);
  }

  async audit(limit: number, before?: number, operations?: readonly string[]): Promise<readonly AuditLine[]> {
    return await this.#client.request('audit', limit, before, operations);
  }

  /** Computes the chain of the audit log anew. */
  async verifyAudit(): Promise<AuditVerdict> {
    return await this.#client.request('verifyAudit');
  }

  async addTraffic(startUnixMs: number, seconds: number, traffic: ReadonlyMap<string, Traffic>): Promise<void> {
    await this.#client.request('addTraffic', startUnixMs, seconds, traffic);
  }

  async traffic(
    device: string,
    fromUnixMs: number,
    toUnixMs: number,
    buckets: number,
  ): Promise<readonly StoredTrafficSample[]> {
    return await this.#client.request('traffic', device, { fromUnixMs, toUnixMs, buckets });
  }

  async addSession(session: DeviceSession): Promise<void> {
    await this.#client.request('addSession', session);
  }

  async sessions(device: string, fromUnixMs: number, toUnixMs: number): Promise<readonly DeviceSession[]> {
    return await this.#client.request('sessions', device, fromUnixMs, toUnixMs);
  }

  async backup(path: string): Promise<void> {
    await this.#client.request('backup', path);
  }

  /**
   * Takes the state of a backup. Whoever holds a loaded state loads again.
   *
   * @returns The path at which the state until now is kept.
   * @throws {WireGuardError} ERR_BACKUP: it is damaged, or no backup. The state stays as it is.
   */
  async restore(path: string): Promise<string> {
    return await this.#client.request('restore', path);
  }

  async health(): Promise<StoreHealth> {
    return await this.#client.request('health');
  }

  /** Resolves when all requests before are done and the files are closed. */
  async close(): Promise<void> {
    await this.#client.close();
  }

  async people(): Promise<readonly Person[]> {
    return await this.#client.request('people');
  }

  async person(id: string): Promise<Person | undefined> {
    return await this.#client.request('person', id);
  }

  async personNamed(name: string): Promise<Person | undefined> {
    return await this.#client.request('personNamed', name);
  }

  async personOfIdentity(issuer: string, subject: string): Promise<Person | undefined> {
    return await this.#client.request('personOfIdentity', issuer, subject);
  }

  async changePeople(change: PeopleChange): Promise<number> {
    return await this.#client.request('changePeople', change);
  }

  async passkeys(person: string): Promise<readonly Passkey[]> {
    return await this.#client.request('passkeys', person);
  }

  async passkey(id: string): Promise<Passkey | undefined> {
    return await this.#client.request('passkey', id);
  }

  async passkeyUsed(id: string, counter: number, atUnixMs: number): Promise<boolean> {
    return await this.#client.request('passkeyUsed', id, counter, atUnixMs);
  }

  async acceptTotpStep(person: string, step: number): Promise<boolean> {
    return await this.#client.request('acceptTotpStep', person, step);
  }

  async acceptRecoveryCode(person: string, hash: string): Promise<boolean> {
    return await this.#client.request('acceptRecoveryCode', person, hash);
  }

  async signIn(idHash: string, nowUnixMs: number): Promise<SignIn | undefined> {
    return await this.#client.request('signIn', idHash, nowUnixMs);
  }

  async signIns(person: string): Promise<readonly SignIn[]> {
    return await this.#client.request('signIns', person);
  }

  async signInUsed(idHash: string, atUnixMs: number): Promise<void> {
    await this.#client.request('signInUsed', idHash, atUnixMs);
  }

  async tokens(): Promise<readonly ApiToken[]> {
    return await this.#client.request('tokens');
  }

  async token(hash: string, nowUnixMs: number): Promise<ApiToken | undefined> {
    return await this.#client.request('token', hash, nowUnixMs);
  }

  async tokenUsed(id: string, atUnixMs: number): Promise<void> {
    await this.#client.request('tokenUsed', id, atUnixMs);
  }

  async links(): Promise<readonly OneTimeLink[]> {
    return await this.#client.request('links');
  }

  async link(hash: string, nowUnixMs: number): Promise<OneTimeLink | undefined> {
    return await this.#client.request('link', hash, nowUnixMs);
  }

  async takeLink(hash: string, change: PeopleChange): Promise<OneTimeLink | undefined> {
    return await this.#client.request('takeLink', hash, change);
  }

  async webhooks(): Promise<readonly Webhook[]> {
    return await this.#client.request('webhooks');
  }

  async changeWebhooks(change: WebhookChange): Promise<number> {
    return await this.#client.request('changeWebhooks', change);
  }

  async addDeliveries(deliveries: readonly Delivery[]): Promise<void> {
    await this.#client.request('addDeliveries', deliveries);
  }

  async dueDeliveries(nowUnixMs: number, limit: number): Promise<readonly Delivery[]> {
    return await this.#client.request('dueDeliveries', nowUnixMs, limit);
  }

  async nextDeliveryUnixMs(): Promise<number | undefined> {
    return await this.#client.request('nextDeliveryUnixMs');
  }

  async deliveryTried(id: string, answer: DeliveryAnswer, retryAtUnixMs?: number): Promise<void> {
    await this.#client.request('deliveryTried', id, answer, retryAtUnixMs);
  }

  async deliveries(webhook: string, limit: number): Promise<readonly Delivery[]> {
    return await this.#client.request('deliveries', webhook, limit);
  }
}

/**
 * Restores the folder of a gateway that does not run, or that cannot open its state.
 *
 * @param backup Absent: the newest daily backup.
 * @returns The path of the backup, and where the state until now is kept.
 * @throws {WireGuardError} ERR_BACKUP, ERR_STORE_IN_USE, ERR_STORE_FILE, ERR_STORE_FULL, ERR_SQLITE_MISSING
 */
export async function restoreStore(
  folder: string,
  backup?: string,
): Promise<{ readonly backup: string; readonly aside: string }> {
  return restoreFolder(await loadSqlite(), folder, SYSTEM_CLOCK, backup);
}

/** Looks at a whole backup without using it. @throws {WireGuardError} ERR_BACKUP, ERR_STORE_FILE, ERR_SQLITE_MISSING */
export async function checkBackupFile(path: string): Promise<void> {
  checkBackup(await loadSqlite(), path, 'the backup');
}
