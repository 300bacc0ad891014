import { createHmac, randomBytes } from 'node:crypto';

const SECRET_BYTES = 32;
const PREFIX = 'whsec_';

/** Makes the secret that a webhook and its receiver share. */
export function newWebhookSecret(): string {
  return PREFIX + randomBytes(SECRET_BYTES).toString('base64');
}

/**
 * Returns the headers that prove a message: HMAC-SHA-256 over `ID.SECONDS.BODY`.
 *
 * Source: Standard Webhooks 1.0.0.
 */
export function webhookHeaders(secret: string, id: string, body: string, nowUnixMs: number): Record<string, string> {
  const seconds = String(Math.floor(nowUnixMs / 1_000));
  const key = Buffer.from(secret.slice(PREFIX.length), 'base64');
  const signature = createHmac('sha256', key).update(`${id}.${seconds}.${body}`).digest('base64');
  return { 'webhook-id': id, 'webhook-timestamp': seconds, 'webhook-signature': `v1,${signature}` };
}
