import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';

import { EventFeed } from '../../src/host/event-feed.js';

async function readAll(feed: EventFeed<number>, into: number[]): Promise<void> {
  for await (const event of feed) into.push(event);
}

describe('EventFeed', () => {
  it('hands each event to every reader, in order, and ends with close', async () => {
    const feed = new EventFeed<number>();
    const [first, second]: number[][] = [[], []];
    const reading = Promise.all([readAll(feed, first), readAll(feed, second)]);
    feed.publish([1, 2]);
    await nextTurn();
    feed.publish([3]);
    feed.close();
    await reading;
    assert.deepEqual(
      [first, second],
      [
        [1, 2, 3],
        [1, 2, 3],
      ],
    );
  });

  it('has no reader left after a loop was left, nor one that starts after close', async () => {
    const feed = new EventFeed<number>();
    const iterating = (async () => {
      for await (const event of feed) if (event === 2) break;
    })();
    feed.publish([1, 2, 3]);
    await iterating;
    assert.equal(feed.hasReaders, false);

    feed.close();
    const events: number[] = [];
    await readAll(feed, events);
    assert.deepEqual(events, []);
  });

  it('keeps the latest events for a reader that does not read, within bounds', async () => {
    const feed = new EventFeed<number>();
    const reader = feed[Symbol.asyncIterator]();
    for (let i = 0; i < 50_000; i++) feed.publish([i]);
    feed.close();
    let count = 0;
    let last: number | undefined;
    for (let next = await reader.next(); !next.done; next = await reader.next(), count++) last = next.value;
    assert.equal(last, 49_999);
    assert.ok(count >= 4_096 && count <= 8_192, `${count}`);
  });
});
