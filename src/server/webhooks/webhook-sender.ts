import { randomUUID } from 'node:crypto';

import type { GatewayService } from '../../gateway/gateway-service.js';
import type { Delivery, Webhook, WebhookStore } from '../../store/webhook-store.js';
import { post } from './post.js';
import { webhookHeaders } from './signature.js';
import { type WebhookEvent, WebhookEvents } from './webhook-events.js';

/** Waits between the six attempts. */
const RETRIES_MS = [5_000, 300_000, 1_800_000, 7_200_000, 18_000_000];
const AT_ONCE = 4;

/**
 * Sends events to webhooks: each message is in the store before it is sent, so that a restart loses none. There is one
 * timer, and none while the queue is empty.
 */
export class WebhookSender {
  readonly #store: WebhookStore;
  readonly #nowUnixMs: () => number;
  readonly #reading = new AbortController();
  readonly #events: WebhookEvents;
  /** Events that are not queued yet. */
  readonly #waiting: WebhookEvent[] = [];
  #queueing: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #work: Promise<void> = Promise.resolve();

  constructor(gateway: GatewayService, store: WebhookStore, nowUnixMs: () => number) {
    this.#store = store;
    this.#nowUnixMs = nowUnixMs;
    this.#events = new WebhookEvents(gateway);
    void this.#follow(gateway);
    this.#sendSoon();
  }

  /** Queues a message for one webhook. */
  async send(webhook: Webhook, { type, data }: WebhookEvent | { type: 'test'; data: object }): Promise<string> {
    const nowUnixMs = this.#nowUnixMs();
    const id = `msg_${randomUUID()}`;
    const body = JSON.stringify({ type, timestamp: new Date(nowUnixMs).toISOString(), data });
    const delivery = {
      id,
      webhook: webhook.id,
      event: type,
      body,
      createdAtUnixMs: nowUnixMs,
      attempts: 0,
      dueAtUnixMs: nowUnixMs,
    };
    await this.#store.addDeliveries([delivery]);
    this.#sendSoon();
    return id;
  }

  /** Resolves when the messages that are on their way have been answered. */
  async close(): Promise<void> {
    this.#reading.abort();
    clearTimeout(this.#timer);
    await this.#work;
  }

  async #follow(gateway: GatewayService): Promise<void> {
    for await (const event of gateway.events(this.#reading.signal)) {
      this.#waiting.push(...this.#events.of(event));
      if (this.#waiting.length > 0) this.#queueing ??= this.#queueAll();
    }
  }

  /** Where events come fast, the store is asked for webhooks once for all that have come meanwhile. */
  async #queueAll(): Promise<void> {
    // A disk that is full loses messages, and no more.
    while (this.#waiting.length > 0) await this.#queue(this.#waiting.splice(0)).catch(() => {});
    this.#queueing = undefined;
  }

  async #queue(events: readonly WebhookEvent[]): Promise<void> {
    const webhooks = (await this.#store.webhooks()).filter(({ isEnabled }) => isEnabled);
    for (const event of events)
      for (const webhook of webhooks)
        if (webhook.events.length === 0 || webhook.events.includes(event.type)) await this.send(webhook, event);
  }

  #sendSoon(): void {
    this.#work = this.#work.then(() => this.#sendDue()).catch(() => {});
  }

  async #sendDue(): Promise<void> {
    if (this.#reading.signal.aborted) return;
    const webhooks = new Map((await this.#store.webhooks()).map((webhook) => [webhook.id, webhook]));
    for (;;) {
      const due = await this.#store.dueDeliveries(this.#nowUnixMs(), AT_ONCE);
      if (due.length === 0) break;
      await Promise.all(due.map((delivery) => this.#try(delivery, webhooks.get(delivery.webhook))));
      if (this.#reading.signal.aborted) return;
    }
    await this.#arm();
  }

  async #try({ id, body, attempts }: Delivery, webhook: Webhook | undefined): Promise<void> {
    const nowUnixMs = this.#nowUnixMs();
    const answer =
      webhook === undefined
        ? { atUnixMs: nowUnixMs, status: 0, error: 'ERR_REMOVED' }
        : await post(webhook.url, webhookHeaders(webhook.secret, id, body, nowUnixMs), body, nowUnixMs);
    const isDone = answer.status >= 200 && answer.status < 300;
    const waitMs = isDone || webhook === undefined ? undefined : RETRIES_MS[attempts];
    await this.#store.deliveryTried(id, answer, waitMs === undefined ? undefined : this.#nowUnixMs() + waitMs);
  }

  async #arm(): Promise<void> {
    clearTimeout(this.#timer);
    const next = await this.#store.nextDeliveryUnixMs();
    if (next === undefined || this.#reading.signal.aborted) return;
    this.#timer = setTimeout(() => this.#sendSoon(), Math.max(0, next - this.#nowUnixMs())).unref();
  }
}
