import type { MapEntry, MapMessage } from '../map/messages.js';
import type { AgentClock } from './agent-clock.js';
import type { KnownMap, RefusedRecord } from './known-map.js';
import type { StateKeeper } from './state-keeper.js';
import { HUB } from './wanted-peers.js';

export interface MapTaken {
  readonly refused: readonly RefusedRecord[];
  /** The hub says that it is reached elsewhere now. */
  readonly isHubMoved: boolean;
}

/** Takes in what the hub says, of other nodes, of this one and of itself, as far as the signatures hold. */
export class MapIntake {
  readonly #map: KnownMap;
  readonly #keeper: StateKeeper;
  readonly #clock: AgentClock;

  constructor(map: KnownMap, keeper: StateKeeper, clock: AgentClock) {
    this.#map = map;
    this.#keeper = keeper;
    this.#clock = clock;
  }

  take(message: MapMessage): MapTaken {
    const before = this.#keeper.state;
    this.#clock.read(message.unixMs, before.mode);
    const refused = [...this.#map.apply(message, this.#clock.nowUnixMs)];
    const lies = this.#liesAboutUs(message);
    for (const lie of lies) this.#map.noteRefused(lie);
    const isSelfGood = message.self !== undefined && this.#problemOfOwn(message.self) === undefined;
    const self = isSelfGood ? message.self : before.self;
    const hub = message.hub?.publicKey === before.hub.publicKey ? message.hub : before.hub;
    const named = self === undefined ? {} : { self, name: self.record.name, addresses: self.record.addresses };
    this.#keeper.change({ hub, ...named });
    const isHubMoved = hub.endpoint !== before.hub.endpoint || hub.secondPort !== before.hub.secondPort;
    return { refused: [...refused, ...lies], isHubMoved };
  }

  /** Finds what the hub says wrongly of this node and of itself. */
  #liesAboutUs({ self, hub }: MapMessage): RefusedRecord[] {
    const { id, name, hub: known } = this.#keeper.state;
    const lies: RefusedRecord[] = [];
    const problem = self === undefined ? undefined : this.#problemOfOwn(self);
    if (self !== undefined) this.#map.refused.delete(id);
    if (problem !== undefined) lies.push({ id, name: `${name}, this node,`, problem });
    if (hub === undefined) return lies;
    this.#map.refused.delete(HUB);
    if (hub.publicKey !== known.publicKey) lies.push({ id: HUB, name: 'the hub', problem: 'hub-key' });
    return lies;
  }

  /** Another node's record as this node's own would be a lie, or a mistake. */
  #problemOfOwn(entry: MapEntry): RefusedRecord['problem'] | undefined {
    if (entry.record.id !== this.#keeper.state.id) return 'other-node';
    return this.#map.problemOf(entry, this.#clock.nowUnixMs);
  }
}
