import type { RuleBody } from '../../src/server/operations/gateway-schemas.js';
import { messages } from '../language.js';
import { devices } from '../live.js';

/** Says a rule as a sentence. */
export function sentence({ action, from, to, protocol, ports }: RuleBody): string {
  const m = messages.value.rules;
  const nameOf = (id: string) => devices.value.get(id)?.name ?? id;
  const who =
    from.kind === 'everyone' ? messages.value.everyone : from.kind === 'tag' ? `#${from.tag}` : nameOf(from.device);
  const what =
    to.kind === 'prefix'
      ? to.prefix
      : to.kind === 'device'
        ? nameOf(to.device)
        : to.kind === 'tag'
          ? `#${to.tag}`
          : (m.targets[to.kind] ?? to.kind);
  const range =
    ports === undefined ? '' : ports.first === ports.last ? `${ports.first}` : `${ports.first}–${ports.last}`;
  const how = protocol === undefined ? '' : `${protocol.toUpperCase()}${range === '' ? '' : ` ${range}`}`;
  return m.sentence(action === 'allow' ? m.allow : m.deny, who, what, how);
}

/** The devices, for a list to choose from. */
export function DeviceOptions() {
  return (
    <>
      {[...devices.value.values()].map(({ id, name }) => (
        <option key={id} value={id}>
          {name}
        </option>
      ))}
    </>
  );
}
