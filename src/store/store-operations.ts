import type { DeviceSession } from '../gateway/gateway-model.js';
import type { StateChange } from '../gateway/gateway-store.js';
import type { PeopleChange } from './people-store.js';
import type { StoreFolder } from './store-folder.js';
import type { Traffic, TrafficQuery } from './traffic-table.js';
import type { Delivery, DeliveryAnswer, WebhookChange } from './webhook-store.js';

/** The requests that the main thread can make of the store's thread, by name. Arguments and results are plain data. */
export function storeOperations(folder: StoreFolder) {
  const people = () => folder.state.people;
  const webhooks = () => folder.state.webhooks;
  const audit = <T>(read: () => T) => folder.state.database.attempt(read);
  return {
    load: () => folder.state.load(),
    commit: (change: StateChange) => commit(folder, change),
    audit: (limit: number, before?: number, operations?: readonly string[]) =>
      audit(() => folder.state.audit.lines(limit, before, operations)),
    verifyAudit: () => audit(() => folder.state.audit.verify()),
    addTraffic: (startUnixMs: number, seconds: number, traffic: ReadonlyMap<string, Traffic>) =>
      folder.stats.addTraffic(startUnixMs, seconds, traffic),
    traffic: (device: string, query: TrafficQuery) => folder.stats.traffic(device, query),
    addSession: (session: DeviceSession) => folder.stats.addSession(session),
    sessions: (device: string, fromUnixMs: number, toUnixMs: number) =>
      folder.stats.sessions(device, fromUnixMs, toUnixMs),
    backup: (path: string) => folder.backup(path),
    restore: (path: string) => folder.restore(path),
    health: () => folder.health(),

    people: () => people().people(),
    person: (id: string) => people().person(id),
    personNamed: (name: string) => people().personNamed(name),
    personOfIdentity: (issuer: string, subject: string) => people().personOfIdentity(issuer, subject),
    changePeople: (change: PeopleChange) => people().change(change),
    passkeys: (person: string) => people().passkeys(person),
    passkey: (id: string) => people().passkey(id),
    passkeyUsed: (id: string, counter: number, atUnixMs: number) => people().passkeyUsed(id, counter, atUnixMs),
    acceptTotpStep: (person: string, step: number) => people().acceptTotpStep(person, step),
    acceptRecoveryCode: (person: string, hash: string) => people().acceptRecoveryCode(person, hash),
    signIn: (idHash: string, nowUnixMs: number) => people().signIn(idHash, nowUnixMs),
    signIns: (person: string) => people().signIns(person),
    signInUsed: (idHash: string, atUnixMs: number) => people().signInUsed(idHash, atUnixMs),
    tokens: () => people().tokens(),
    token: (hash: string, nowUnixMs: number) => people().token(hash, nowUnixMs),
    tokenUsed: (id: string, atUnixMs: number) => people().tokenUsed(id, atUnixMs),
    links: () => people().links(),
    link: (hash: string, nowUnixMs: number) => people().link(hash, nowUnixMs),
    takeLink: (hash: string, change: PeopleChange) => people().takeLink(hash, change),

    webhooks: () => webhooks().webhooks(),
    changeWebhooks: (change: WebhookChange) => webhooks().change(change),
    addDeliveries: (deliveries: readonly Delivery[]) => webhooks().add(deliveries),
    dueDeliveries: (nowUnixMs: number, limit: number) => webhooks().due(nowUnixMs, limit),
    nextDeliveryUnixMs: () => webhooks().nextUnixMs(),
    deliveryTried: (id: string, answer: DeliveryAnswer, retryAtUnixMs?: number) =>
      webhooks().tried(id, answer, retryAtUnixMs),
    deliveries: (webhook: string, limit: number) => webhooks().deliveries(webhook, limit),
  };
}

export type StoreOperations = ReturnType<typeof storeOperations>;
export type StoreOperation = keyof StoreOperations;

function commit(folder: StoreFolder, change: StateChange): number {
  const revision = folder.state.commit(change);
  if (change.settings !== undefined) folder.stats.setTimeZone(change.settings.timeZone);
  if (change.removeDevices !== undefined) folder.forgetHistory(change.removeDevices);
  return revision;
}
