import type { MeshSettings } from '../../gateway/mesh-model.js';
import type { AccessRule } from '../../policy/access.js';
import type { MapEntry } from '../map/messages.js';
import { type RuleText, ruleText } from '../map/rule-text.js';
import { Visibility } from '../map/visibility.js';
import type { SigningKey } from '../records/signing.js';
import { areIntroduced, isAgent, type NodeDevice } from './node-devices.js';
import { RecordMaker } from './record-maker.js';

/** Everyone is told of the end of older ones. */
const GONE_REMEMBERED = 1_024;

export interface NodeDirectoryOptions {
  readonly rules: () => readonly AccessRule[];
  /** The revision of the store: the serial of records that are made now. */
  readonly revision: () => number;
  readonly nowUnixMs: () => number;
}

/** The nodes that a network has now: which of them see each other, their records, and their names. */
export class NodeDirectory {
  readonly #options: NodeDirectoryOptions;
  readonly #devices = new Map<string, NodeDevice>();
  /** Nodes that were removed, the oldest first. */
  readonly #gone = new Map<string, NodeDevice>();
  readonly #visibility = new Visibility(this.#devices);
  #mesh!: MeshSettings;
  #records!: RecordMaker;
  /** Addresses by DNS label; made anew after a change. */
  #labels: Map<string, readonly string[]> | undefined;

  constructor(options: NodeDirectoryOptions) {
    this.#options = options;
  }

  /** Sets the network. @param signingKey Absent: mode `locked`. */
  begin(mesh: MeshSettings, signingKey: SigningKey | undefined): void {
    this.#mesh = mesh;
    this.#records = new RecordMaker(mesh.networkId, signingKey);
  }

  get mesh(): MeshSettings {
    return this.#mesh;
  }

  set mesh(mesh: MeshSettings) {
    this.#mesh = mesh;
  }

  get devices(): ReadonlyMap<string, NodeDevice> {
    return this.#devices;
  }

  /** `changed` is to be called afterwards, once for all that were put and removed. */
  put(device: NodeDevice): void {
    this.#devices.set(device.id, device);
    this.#gone.delete(device.id);
  }

  remove(id: string): void {
    const device = this.#devices.get(id);
    if (device === undefined) return;
    this.#devices.delete(id);
    this.#records.forget(id);
    this.#gone.set(id, device);
    const [oldest] = this.#gone.keys();
    if (this.#gone.size > GONE_REMEMBERED) this.#gone.delete(oldest!);
  }

  /** Nodes or rules are other ones now. */
  changed(): void {
    this.#labels = undefined;
    this.#visibility.changed(this.#options.rules());
  }

  isAgent(id: string): boolean {
    const device = this.#devices.get(id);
    return device !== undefined && isAgent(device);
  }

  /** Whether a node waits for the administrator's signature. */
  isWaiting(device: NodeDevice): boolean {
    return this.#mesh.mode === 'locked' && device.node.signed === undefined;
  }

  /** All nodes that a node sees; itself may be among them. */
  neighbours(id: string): readonly string[] {
    return this.#visibility.neighbours(id);
  }

  sees(a: string, b: string): boolean {
    return this.#visibility.sees(a, b);
  }

  /** The nodes that a device sees, which may be no node yet, or another one than the directory has. */
  seenBy(device: NodeDevice): NodeDevice[] {
    const others = [...this.#devices.values()].filter(({ id }) => id !== device.id);
    return others.filter((other) => this.#visibility.seeEachOther(device, other));
  }

  /** The nodes whose records a node gets. One that waits for its signature learns of nobody. */
  introducedTo(id: string): readonly string[] {
    const device = this.#devices.get(id);
    if (device === undefined || this.isWaiting(device)) return [];
    return this.neighbours(id).filter((other) => this.seesRecord(id, other));
  }

  seesRecord(a: string, b: string): boolean {
    const [one, other] = [this.#devices.get(a), this.#devices.get(b)];
    if (one === undefined || other === undefined || !areIntroduced(one, other)) return false;
    return this.sees(a, b);
  }

  /** Whether a node has to be told that another one is gone: it saw it, or nobody knows any more. */
  sawRecord(a: string, gone: string): boolean {
    const [one, other] = [this.#devices.get(a), this.#gone.get(gone)];
    if (one === undefined || other === undefined) return true;
    return areIntroduced(one, other) && this.#visibility.seeEachOther(one, other);
  }

  /** @returns `undefined`: it is no node, or the administrator has not signed it yet. */
  entryOf(id: string): MapEntry | undefined {
    const device = this.#devices.get(id);
    if (device === undefined) return undefined;
    const { revision, nowUnixMs } = this.#options;
    const record = this.#records.recordOf(device, revision(), nowUnixMs());
    if (record === undefined) return undefined;
    const { endpoint } = device.node;
    return {
      record: record as MapEntry['record'],
      mayBegin: device.switches.devices,
      ...(endpoint === undefined ? {} : { endpoint }),
    };
  }

  /** The rules that can concern a node. */
  rulesOf(id: string): RuleText[] {
    return this.#visibility.rulesOf(id).map(ruleText);
  }

  /** Nodes whose records have to be made again, as their time runs out. */
  dueRecords(nowUnixMs: number): string[] {
    return [...this.#devices.keys()].filter((id) => this.#records.isDue(id, nowUnixMs));
  }

  /** @param label The name of a node as a DNS label. @returns Its addresses; none: there is no such node. */
  addressesOf(label: string): readonly string[] {
    this.#labels ??= new Map([...this.#devices.values()].map((device) => [labelOf(device.name), device.addresses]));
    return this.#labels.get(label) ?? [];
  }
}

/** Returns the DNS label of a name: lower case, with hyphens for what a label cannot have. */
export function labelOf(name: string): string {
  return name
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, '-')
    .replace(/^-+|-+$/g, '');
}
