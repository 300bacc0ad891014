import { randomBytes } from 'node:crypto';
import * as v from 'valibot';

import type { Webhook } from '../../store/webhook-store.js';
import { ApiError } from '../server-errors.js';
import { newWebhookSecret } from '../webhooks/signature.js';
import { WEBHOOK_EVENTS } from '../webhooks/webhook-events.js';
import { auditOf } from './acting.js';
import { ById, Id, Name, Nothing } from './device-schemas.js';
import { type CallContext, operation } from './operation.js';

const ID_BYTES = 6;
const Url = v.pipe(v.string(), v.maxLength(1_000), v.regex(/^https?:\/\/[^\s@]+$/));
const Events = v.array(v.picklist(WEBHOOK_EVENTS));
const SHOWN_DELIVERIES = 50;

const WebhookBody = v.strictObject({
  id: Id,
  name: v.string(),
  url: v.string(),
  events: v.array(v.string()),
  isEnabled: v.boolean(),
  createdAtUnixMs: v.number(),
});

/** Webhooks: where the gateway tells what happened, and how that went. */
export const WEBHOOK_OPERATIONS = [
  operation({
    id: 'webhook.list',
    method: 'GET',
    path: '/webhooks',
    scope: 'webhooks:write',
    summary: 'Lists the webhooks, without their secrets.',
    input: Nothing,
    output: v.strictObject({ webhooks: v.array(WebhookBody) }),
    handler: async (_, { parts }) => ({ webhooks: (await parts.store.webhooks()).map(webhookBody) }),
  }),
  operation({
    id: 'webhook.make',
    method: 'POST',
    path: '/webhooks',
    scope: 'webhooks:write',
    summary: 'Adds a webhook (Standard Webhooks). Its secret is shown this once. No events: all of them.',
    input: v.strictObject({ name: Name, url: Url, events: v.optional(Events, []) }),
    output: v.strictObject({ ...WebhookBody.entries, secret: v.string() }),
    status: 201,
    needsStepUp: true,
    example: { input: { name: 'chat', url: 'https://hooks.example.net/wiretype' } },
    handler: async ({ name, url, events }, context) => {
      const webhook: Webhook = {
        id: randomBytes(ID_BYTES).toString('hex'),
        name,
        url,
        secret: newWebhookSecret(),
        events,
        isEnabled: true,
        createdAtUnixMs: context.parts.nowUnixMs(),
      };
      await context.parts.store.changeWebhooks({
        putWebhooks: [webhook],
        audit: auditOf(context, 'webhook.make', webhook.id, { name, events }),
      });
      return { ...webhookBody(webhook), secret: webhook.secret };
    },
  }),
  operation({
    id: 'webhook.change',
    method: 'PATCH',
    path: '/webhooks/:id',
    scope: 'webhooks:write',
    summary: 'Changes what is given.',
    input: v.strictObject({
      id: Id,
      name: v.optional(Name),
      url: v.optional(Url),
      events: v.optional(Events),
      isEnabled: v.optional(v.boolean()),
    }),
    output: WebhookBody,
    needsStepUp: true,
    handler: async ({ id, name, url, events, isEnabled }, context) => {
      const before = await find(id, context);
      const changed = {
        ...before,
        name: name ?? before.name,
        url: url ?? before.url,
        events: events ?? before.events,
        isEnabled: isEnabled ?? before.isEnabled,
      };
      await context.parts.store.changeWebhooks({
        putWebhooks: [changed],
        audit: auditOf(context, 'webhook.change', id, { name, events, isEnabled }),
      });
      return webhookBody(changed);
    },
  }),
  operation({
    id: 'webhook.remove',
    method: 'DELETE',
    path: '/webhooks/:id',
    scope: 'webhooks:write',
    summary: 'Removes a webhook, and what waits for it.',
    input: ById,
    output: Nothing,
    status: 204,
    handler: async ({ id }, context) => {
      await find(id, context);
      await context.parts.store.changeWebhooks({ removeWebhooks: [id], audit: auditOf(context, 'webhook.remove', id) });
      return {};
    },
  }),
  operation({
    id: 'webhook.test',
    method: 'POST',
    path: '/webhooks/:id/test',
    scope: 'webhooks:write',
    summary: 'Sends a message to try a webhook.',
    input: ById,
    output: v.strictObject({ delivery: v.string() }),
    handler: async ({ id }, context) => ({
      delivery: await context.parts.webhooks.send(await find(id, context), { type: 'test', data: {} }),
    }),
  }),
  operation({
    id: 'webhook.deliveries',
    method: 'GET',
    path: '/webhooks/:id/deliveries',
    scope: 'webhooks:write',
    summary: 'Returns the last messages to a webhook, and how it answered.',
    input: ById,
    output: v.strictObject({
      deliveries: v.array(
        v.strictObject({
          id: v.string(),
          event: v.string(),
          createdAtUnixMs: v.number(),
          attempts: v.number(),
          dueAtUnixMs: v.optional(v.number()),
          status: v.optional(v.number()),
          error: v.optional(v.string()),
        }),
      ),
    }),
    handler: async ({ id }, context) => {
      await find(id, context);
      const deliveries = await context.parts.store.deliveries(id, SHOWN_DELIVERIES);
      return {
        deliveries: deliveries.map(({ id: delivery, event, createdAtUnixMs, attempts, dueAtUnixMs, lastAnswer }) => ({
          id: delivery,
          event,
          createdAtUnixMs,
          attempts,
          ...(dueAtUnixMs === undefined ? {} : { dueAtUnixMs }),
          ...(lastAnswer === undefined ? {} : { status: lastAnswer.status }),
          ...(lastAnswer?.error === undefined ? {} : { error: lastAnswer.error }),
        })),
      };
    },
  }),
];

function webhookBody({ id, name, url, events, isEnabled, createdAtUnixMs }: Webhook) {
  return { id, name, url, events: [...events], isEnabled, createdAtUnixMs };
}

async function find(id: string, { parts }: CallContext): Promise<Webhook> {
  const webhook = (await parts.store.webhooks()).find((each) => each.id === id);
  if (webhook === undefined) throw new ApiError('ERR_NOT_FOUND', 'there is no such webhook');
  return webhook;
}
