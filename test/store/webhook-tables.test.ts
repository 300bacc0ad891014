import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';

import { StateDatabase } from '../../src/store/state-database.js';
import type { Delivery, Webhook } from '../../src/store/webhook-store.js';
import type { WebhookTables } from '../../src/store/webhook-tables.js';
import { audit, SQLITE, START_UNIX_MS, withFolder } from './samples.js';

describe('deliveries to webhooks', () => {
  it('are due in the order of their times, up to a limit', () =>
    withWebhooks((webhooks) => {
      webhooks.add([delivery('m1', 30), delivery('m2', 10), delivery('m3', 20), delivery('m4', 99)]);

      assert.deepEqual(idsOf(webhooks.due(START_UNIX_MS + 30, 9)), ['m2', 'm3', 'm1']);
      assert.deepEqual(idsOf(webhooks.due(START_UNIX_MS + 30, 2)), ['m2', 'm3']);
      assert.equal(webhooks.nextUnixMs(), START_UNIX_MS + 10);
    }));

  it('wait for the next attempt, with the same id and body and the last answer', () =>
    withWebhooks((webhooks) => {
      webhooks.add([delivery('m1', 0)]);
      const answer = { atUnixMs: START_UNIX_MS, status: 503 };

      webhooks.tried('m1', answer, START_UNIX_MS + 5_000);

      assert.deepEqual(webhooks.due(START_UNIX_MS + 4_999, 9), []);
      const { dueAtUnixMs: _, ...first } = delivery('m1', 0);
      const expected = { ...first, attempts: 1, lastAnswer: answer, dueAtUnixMs: START_UNIX_MS + 5_000 };
      assert.deepEqual(webhooks.due(START_UNIX_MS + 5_000, 9), [expected]);
    }));

  it('leave nothing to wait for when they are done', () =>
    withWebhooks((webhooks) => {
      webhooks.add([delivery('m1', 0)]);

      webhooks.tried('m1', { atUnixMs: START_UNIX_MS, status: 200 });

      assert.equal(webhooks.nextUnixMs(), undefined);
      assert.deepEqual(
        webhooks.deliveries('w1', 9).map(({ attempts, lastAnswer }) => [attempts, lastAnswer?.status]),
        [[1, 200]],
      );
    }));

  it('are bounded: 1,000 wait for a webhook, and the oldest makes room', () =>
    withWebhooks((webhooks) => {
      webhooks.add(Array.from({ length: 1_002 }, (_, n) => delivery(`m${n}`, 0)));
      webhooks.add([delivery('other', 0, 'w2')]);

      const waiting = idsOf(webhooks.due(START_UNIX_MS, 5_000));
      assert.deepEqual([waiting.length, waiting[0], waiting.at(-1)], [1_001, 'm2', 'other']);
    }));

  it('are kept when they are done: the last 50, the newest first', () =>
    withWebhooks((webhooks) => {
      for (let n = 0; n < 53; n++) {
        webhooks.add([delivery(`m${n}`, 0)]);
        webhooks.tried(`m${n}`, { atUnixMs: START_UNIX_MS, status: 0, error: 'ECONNREFUSED' });
      }

      const kept = idsOf(webhooks.deliveries('w1', 99));
      assert.deepEqual([kept.length, kept[0], kept.at(-1)], [50, 'm52', 'm3']);
    }));

  it('go with their webhook, also one whose attempt is under way', () =>
    withWebhooks((webhooks) => {
      webhooks.add([delivery('m1', 0)]);

      webhooks.change({ removeWebhooks: ['w1'], audit: audit('webhook.remove') });
      webhooks.tried('m1', { atUnixMs: START_UNIX_MS, status: 200 });

      assert.deepEqual([webhooks.deliveries('w1', 9), idsOf(webhooks.webhooks())], [[], ['w2']]);
    }));
});

function idsOf(records: readonly { readonly id: string }[]): string[] {
  return records.map(({ id }) => id);
}

function webhook(id: string): Webhook {
  const url = 'https://hooks.example/x';
  return { id, name: id, url, secret: 'whsec_AAAA', events: [], isEnabled: true, createdAtUnixMs: START_UNIX_MS };
}

function delivery(id: string, afterMs: number, target = 'w1'): Delivery {
  const dueAtUnixMs = START_UNIX_MS + afterMs;
  return {
    id,
    webhook: target,
    event: 'device.connected',
    body: '{}',
    createdAtUnixMs: START_UNIX_MS,
    attempts: 0,
    dueAtUnixMs,
  };
}

async function withWebhooks(test: (webhooks: WebhookTables) => void): Promise<void> {
  await withFolder((folder) => {
    const state = StateDatabase.open(SQLITE, join(folder, 'state.db'));
    state.webhooks.change({ putWebhooks: [webhook('w1'), webhook('w2')], audit: audit('webhook.add') });
    try {
      test(state.webhooks);
    } finally {
      state.database.close();
    }
  });
}
