import { MapPublisher, type MapSubscriber } from '../../src/mesh/hub/map-publisher.js';
import type { MapEntry } from '../../src/mesh/map/messages.js';
import { HUB } from '../contender.js';
import type { Measure } from '../measure.js';

const AGENTS = 5_000;

/** The cost of a revocation to the hub in a network of 5,000, without the network between. */
export const fanOut: Measure = {
  id: 'mesh-fan-out',
  quantities: [
    {
      id: 'mesh-fan-out',
      title: 'revocation, to the texts for 5,000 agents',
      unit: 'ms',
      digits: 1,
      isMoreBetter: false,
      goal: { atMost: 100 },
    },
  ],
  suits: ({ title }) => title === HUB,
  async take() {
    const ids = Array.from({ length: AGENTS }, (_, number) => number.toString(16).padStart(12, '0'));
    const entries = new Map(ids.map((id) => [id, entryOf(id)]));
    const all = [...ids];
    const publisher = new MapPublisher(
      {
        entryOf: (id) => entries.get(id),
        sees: () => true,
        saw: () => true,
        neighbours: () => all,
        extrasOf: () => ({}),
      },
      1,
    );
    publisher.changedForAll(ids, 0);
    let texts = 0;
    const subscribers: MapSubscriber[] = [];
    for (const node of ids) {
      const subscriber: MapSubscriber = {
        node,
        send: () => texts++ >= 0,
      };
      subscribers.push(subscriber);
      publisher.subscribe(subscriber, publisher.rev, 0);
    }
    for (const subscriber of subscribers) publisher.acknowledged(subscriber, 0);
    texts = 0;
    const startMs = performance.now();
    entries.delete(ids[0]!);
    publisher.changed([ids[0]!], 0);
    const tookMs = performance.now() - startMs;
    if (texts !== AGENTS) throw new Error(`${texts} of ${AGENTS} agents were told`);
    return { 'mesh-fan-out': tookMs };
  },
};

function entryOf(id: string): MapEntry {
  const fields = {
    name: id,
    addresses: ['10.0.0.1'],
    tags: [],
    routes: [],
    notAfterUnixMs: 1,
    serial: 1,
    signature: '',
  };
  return { record: { id, ...fields, publicKey: '', keySeq: 1 }, mayBegin: true };
}
