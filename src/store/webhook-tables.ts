import type { AuditLog } from './audit-log.js';
import type { Database } from './database.js';
import { RecordTable } from './record-table.js';
import {
  type Delivery,
  type DeliveryAnswer,
  KEPT_DELIVERIES,
  MAX_WAITING_DELIVERIES,
  type Webhook,
  type WebhookChange,
} from './webhook-store.js';

/** The tables of webhooks and their deliveries: what `WebhookStore` says, in this thread. */
export class WebhookTables {
  readonly #database: Database;
  readonly #audit: AuditLog;
  readonly #webhooks: RecordTable<Webhook>;
  readonly #deliveries: RecordTable<Delivery>;

  constructor(database: Database, audit: AuditLog) {
    this.#database = database;
    this.#audit = audit;
    this.#webhooks = new RecordTable(database, 'webhooks', { id: ({ id }) => id });
    this.#deliveries = new RecordTable(database, 'deliveries', {
      id: ({ id }) => id,
      webhook: ({ webhook }) => webhook,
      due_at_unix_ms: ({ dueAtUnixMs }) => dueAtUnixMs ?? null,
    });
  }

  webhooks(): readonly Webhook[] {
    return this.#database.attempt(() => this.#webhooks.all());
  }

  change({ putWebhooks = [], removeWebhooks = [], audit }: WebhookChange): number {
    return this.#database.transaction(() => {
      for (const id of removeWebhooks) this.#webhooks.remove(id);
      for (const webhook of putWebhooks) this.#webhooks.put(webhook);
      return this.#audit.append(audit);
    });
  }

  add(deliveries: readonly Delivery[]): void {
    this.#database.transaction(() => {
      for (const delivery of deliveries) this.#deliveries.put(delivery);
      for (const webhook of new Set(deliveries.map((delivery) => delivery.webhook))) this.#makeRoom(webhook);
    });
  }

  due(nowUnixMs: number, limit: number): readonly Delivery[] {
    const condition =
      'id IN (SELECT id FROM deliveries WHERE due_at_unix_ms <= ? ORDER BY due_at_unix_ms, position LIMIT ?)';
    const due = this.#database.attempt(() => this.#deliveries.where(condition, nowUnixMs, limit));
    return [...due].sort((left, right) => left.dueAtUnixMs! - right.dueAtUnixMs!);
  }

  nextUnixMs(): number | undefined {
    const sql = 'SELECT min(due_at_unix_ms) AS next FROM deliveries WHERE due_at_unix_ms IS NOT NULL';
    const next = this.#database.attempt(() => this.#database.statement(sql).get())?.['next'];
    return typeof next === 'number' ? next : undefined;
  }

  tried(id: string, lastAnswer: DeliveryAnswer, retryAtUnixMs?: number): void {
    this.#database.transaction(() => {
      const found = this.#deliveries.get(id);
      // Its webhook may have been removed while the attempt was under way.
      if (found === undefined) return;
      const { dueAtUnixMs: _, ...rest } = found;
      const next = retryAtUnixMs === undefined ? {} : { dueAtUnixMs: retryAtUnixMs };
      this.#deliveries.put({ ...rest, attempts: found.attempts + 1, lastAnswer, ...next });
      this.#forgetOldest(found.webhook, 'due_at_unix_ms IS NULL', KEPT_DELIVERIES);
    });
  }

  deliveries(webhook: string, limit: number): readonly Delivery[] {
    const condition = 'id IN (SELECT id FROM deliveries WHERE webhook = ? ORDER BY position DESC LIMIT ?)';
    return [...this.#database.attempt(() => this.#deliveries.where(condition, webhook, limit))].reverse();
  }

  #makeRoom(webhook: string): void {
    this.#forgetOldest(webhook, 'due_at_unix_ms IS NOT NULL', MAX_WAITING_DELIVERIES);
  }

  #forgetOldest(webhook: string, condition: string, kept: number): void {
    this.#deliveries.removeWhere(
      `position IN (SELECT position FROM deliveries WHERE webhook = ? AND ${condition} ORDER BY position DESC LIMIT -1 OFFSET ?)`,
      webhook,
      kept,
    );
  }
}
