import type { GatewayDevice, GatewaySettings, GatewayState } from '../gateway/gateway-model.js';
import type { StateChange } from '../gateway/gateway-store.js';
import type { Invitation } from '../gateway/mesh-model.js';
import type { AccessRule } from '../policy/access.js';
import { AuditLog } from './audit-log.js';
import { Database } from './database.js';
import { migrate } from './migrate.js';
import { PeopleTables } from './people-tables.js';
import { RecordTable, recordOf } from './record-table.js';
import { type RuleRecord, recordOfRule, ruleOfRecord } from './rule-record.js';
import type { OpenSqlite } from './sqlite.js';
import { STATE_MIGRATIONS } from './state-schema.js';
import { WebhookTables } from './webhook-tables.js';

/** The file `state.db`: what must not be lost. Each change is one transaction, with its line in the audit log. */
export class StateDatabase {
  readonly database: Database;
  readonly audit: AuditLog;
  readonly people: PeopleTables;
  readonly webhooks: WebhookTables;
  readonly #devices: RecordTable<GatewayDevice>;
  readonly #rules: RecordTable<RuleRecord>;
  readonly #invitations: RecordTable<Invitation>;

  /**
   * Opens the file, or creates it.
   *
   * @param beforeMigration Called with the open file of an older version, to make a backup.
   */
  static open(sqlite: OpenSqlite, path: string, beforeMigration?: (old: Database) => void): StateDatabase {
    const database = Database.open(sqlite, path, 'FULL');
    try {
      migrate(database, STATE_MIGRATIONS, () => beforeMigration?.(database));
      return new StateDatabase(database);
    } catch (error) {
      database.close();
      throw error;
    }
  }

  private constructor(database: Database) {
    this.database = database;
    this.audit = new AuditLog(database);
    this.people = new PeopleTables(database, this.audit);
    this.webhooks = new WebhookTables(database, this.audit);
    this.#devices = new RecordTable(database, 'devices', {
      id: ({ id }) => id,
      public_key: (device) => device.publicKey,
    });
    this.#rules = new RecordTable(database, 'rules', { id: ({ id }) => id });
    this.#invitations = new RecordTable(database, 'invitations', { id: ({ id }) => id });
  }

  load(): GatewayState | undefined {
    return this.database.attempt(() => {
      const row = this.database.statement('SELECT record FROM settings').get();
      if (row === undefined) return undefined;
      return {
        settings: recordOf<GatewaySettings>(row),
        devices: this.#devices.all(),
        rules: this.#rules.all().map(storedRule),
        invitations: this.#invitations.all(),
        revision: this.audit.revision(),
      };
    });
  }

  commit(change: StateChange): number {
    const { settings, putDevices = [], removeDevices = [], rules, audit } = change;
    const { putInvitations = [], removeInvitations = [] } = change;
    return this.database.transaction(() => {
      if (settings !== undefined) this.#putSettings(settings);
      for (const id of removeDevices) this.#devices.remove(id);
      for (const device of putDevices) this.#devices.put(device);
      if (rules !== undefined) this.#replaceRules(rules);
      for (const id of removeInvitations) this.#invitations.remove(id);
      for (const invitation of putInvitations) this.#invitations.put(invitation);
      return this.audit.append(audit);
    });
  }

  #putSettings(settings: GatewaySettings): void {
    this.database
      .statement('INSERT INTO settings VALUES (1, ?) ON CONFLICT DO UPDATE SET record = excluded.record')
      .run(JSON.stringify(settings));
  }

  #replaceRules(rules: readonly AccessRule[]): void {
    this.#rules.removeWhere('TRUE');
    for (const rule of rules) this.#rules.put(recordOfRule(rule));
  }
}

function storedRule(record: RuleRecord): AccessRule {
  const rule = ruleOfRecord(record);
  if (rule === undefined) throw new Error(`rule ${record.id} has a target that this program cannot have written`);
  return rule;
}
