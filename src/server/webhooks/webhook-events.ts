import type { DeviceView, GatewayEvent, GatewayService } from '../../gateway/gateway-service.js';
import { deviceBody, etagOf } from '../operations/device-bodies.js';

/** Names of events, for the choice of a webhook. */
export const WEBHOOK_EVENTS = [
  'device.added',
  'device.changed',
  'device.removed',
  'device.connected',
  'device.disconnected',
  'access.denied',
  'rules.changed',
  'settings.changed',
] as const;

export type WebhookEventName = (typeof WEBHOOK_EVENTS)[number];

export interface WebhookEvent {
  readonly type: WebhookEventName;
  readonly data: object;
}

/** Tells what an event of the gateway means: a device that changed may be new, may have other settings, or has connected. */
export class WebhookEvents {
  readonly #known = new Map<string, { etag: string; condition: string }>();

  constructor(gateway: GatewayService) {
    for (const view of gateway.devices()) this.#remember(view);
  }

  of(event: GatewayEvent): WebhookEvent[] {
    switch (event.kind) {
      case 'device-changed':
        return this.#ofDevice(event.device);
      case 'device-removed':
        this.#known.delete(event.id);
        return [{ type: 'device.removed', data: { id: event.id } }];
      case 'denied':
        return event.denial.count === 1 ? [{ type: 'access.denied', data: event.denial }] : [];
      case 'rules-changed':
        return [{ type: 'rules.changed', data: {} }];
      case 'settings-changed':
        return [{ type: 'settings.changed', data: {} }];
      case 'invitations-changed':
      case 'store-changed':
        return [];
    }
  }

  #ofDevice(view: DeviceView): WebhookEvent[] {
    const before = this.#known.get(view.device.id);
    const now = this.#remember(view);
    const types: WebhookEventName[] = [];
    if (before === undefined) types.push('device.added');
    else if (before.etag !== now.etag) types.push('device.changed');
    if (now.condition === 'online' && before?.condition !== 'online') types.push('device.connected');
    else if (now.condition !== 'online' && before?.condition === 'online') types.push('device.disconnected');
    return types.map((type) => ({ type, data: deviceBody(view) }));
  }

  #remember(view: DeviceView): { etag: string; condition: string } {
    const now = { etag: etagOf(view.device), condition: view.condition };
    this.#known.set(view.device.id, now);
    return now;
  }
}
