import type { AuditEntry } from '../gateway/gateway-store.js';

/** Whom the gateway calls when something happens (Standard Webhooks). */
export interface Webhook {
  readonly id: string;
  readonly name: string;
  readonly url: string;
  /** `whsec_…` */
  readonly secret: string;
  /** Names of events, such as `device.connected`. Empty: all. */
  readonly events: readonly string[];
  readonly isEnabled: boolean;
  readonly createdAtUnixMs: number;
}

/** A message for a webhook, until it is delivered or given up, and a while longer to be looked at. */
export interface Delivery {
  /** `webhook-id`: the same with each attempt, so that a receiver can recognise it. */
  readonly id: string;
  readonly webhook: string;
  readonly event: string;
  /** JSON, as it is signed and sent. */
  readonly body: string;
  readonly createdAtUnixMs: number;
  readonly attempts: number;
  /** When to try next. Absent: delivered or given up. */
  readonly dueAtUnixMs?: number;
  readonly lastAnswer?: DeliveryAnswer;
}

export interface DeliveryAnswer {
  readonly atUnixMs: number;
  /** Status of HTTP. 0: there was no answer. */
  readonly status: number;
  /** Code of what went wrong, such as `ECONNREFUSED`. */
  readonly error?: string;
}

export interface WebhookChange {
  readonly putWebhooks?: readonly Webhook[];
  /** Ids. Their deliveries go with them. */
  readonly removeWebhooks?: readonly string[];
  readonly audit: AuditEntry;
}

/** Keeps webhooks, and what is to be delivered to them across restarts. */
export interface WebhookStore {
  webhooks(): Promise<readonly Webhook[]>;
  /** @returns The new revision. */
  changeWebhooks(change: WebhookChange): Promise<number>;
  /** Queues messages. A webhook keeps at most `MAX_WAITING_DELIVERIES`: the oldest one makes room, and is given up. */
  addDeliveries(deliveries: readonly Delivery[]): Promise<void>;
  /** Returns what is due, the longest due first. */
  dueDeliveries(nowUnixMs: number, limit: number): Promise<readonly Delivery[]>;
  /** @returns When the next delivery is due, for one timer; `undefined`: nothing waits. */
  nextDeliveryUnixMs(): Promise<number | undefined>;
  /** Notes an attempt. @param retryAtUnixMs Absent: it is delivered, or given up. */
  deliveryTried(id: string, answer: DeliveryAnswer, retryAtUnixMs?: number): Promise<void>;
  /** Newest first. */
  deliveries(webhook: string, limit: number): Promise<readonly Delivery[]>;
}

/** Messages that wait for one webhook. */
export const MAX_WAITING_DELIVERIES = 1_000;
/** Messages that are done, kept for each webhook to be looked at. */
export const KEPT_DELIVERIES = 50;
