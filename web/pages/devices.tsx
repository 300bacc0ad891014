import { useComputed, useSignal } from '@preact/signals';

import type { DeviceBody } from '../../src/server/operations/device-schemas.js';
import { call } from '../api.js';
import { ago, bytes } from '../format.js';
import { messages } from '../language.js';
import { devices, forget, isLoaded, nowUnixMs, put } from '../live.js';
import { attempt, say } from '../parts/ui.js';
import { go, route, setQuery } from '../router.js';
import { AddDevice, pathOf } from './add-device.js';

const CONDITIONS = ['online', 'asleep', 'never-seen', 'blocked', 'in-trouble'] as const;
/** Rows that are drawn; more come with the search, so that a thousand devices cost little. */
const MOST_ROWS = 200;

/** The list of devices, live, with filters in its address. */
export function Devices({ mayWrite, mayAddOwn }: { mayWrite: boolean; mayAddOwn: boolean }) {
  const m = messages.value.devices;
  const { query } = route.value;
  const search = query.get('search') ?? '';
  const condition = query.get('condition') ?? '';
  const selected = useSignal<ReadonlySet<string>>(new Set());
  const shown = useComputed(() => filtered([...devices.value.values()], route.value.query));
  const filter = (name: string, value: string): void => {
    const next = new URLSearchParams(query);
    if (value === '') next.delete(name);
    else next.set(name, value);
    setQuery(next);
  };
  if (!isLoaded.value) return <p role="status">{messages.value.loading}</p>;
  return (
    <>
      <div class="head">
        <h1>{m.title}</h1>
        {(mayWrite || mayAddOwn) && (
          <button type="button" class="button first" onClick={() => go('#/devices/new')}>
            {m.add}
          </button>
        )}
      </div>
      <search class="tools">
        <input
          type="search"
          id="search"
          aria-label={m.search}
          placeholder={m.searchHint}
          value={search}
          onInput={(event) => filter('search', event.currentTarget.value)}
        />
        <div class="chips">
          {['', ...CONDITIONS].map((each) => (
            <button
              key={each}
              type="button"
              class="button"
              aria-pressed={condition === each}
              onClick={() => filter('condition', each)}
            >
              {each === '' ? m.all : messages.value.conditions[each as (typeof CONDITIONS)[number]]}
            </button>
          ))}
        </div>
      </search>
      <p class="quiet" role="status">
        {m.count(shown.value.length, devices.value.size)}
      </p>
      {selected.value.size > 0 && (
        <BulkBar
          selected={selected.value}
          onDone={() => {
            selected.value = new Set();
          }}
        />
      )}
      {devices.value.size === 0 ? (
        <div class="card empty">
          <h2>{m.empty}</h2>
          <p class="quiet">{m.emptyText}</p>
        </div>
      ) : shown.value.length === 0 ? (
        <p>{m.nothingFound}</p>
      ) : (
        <div class="card scroll list">
          <table>
            <thead>
              <tr>
                {mayWrite && (
                  <th scope="col" class="pick">
                    <span class="hidden">{m.selectAll}</span>
                    <input
                      type="checkbox"
                      aria-label={m.selectAll}
                      checked={selected.value.size === shown.value.length}
                      onChange={(event) => {
                        selected.value = new Set(event.currentTarget.checked ? shown.value.map(({ id }) => id) : []);
                      }}
                    />
                  </th>
                )}
                <th scope="col">{m.name}</th>
                <th scope="col">{m.state}</th>
                <th scope="col" class="wide">
                  {m.address}
                </th>
                <th scope="col" class="wide">
                  {m.lastSeen}
                </th>
                <th scope="col" class="end">
                  {m.now}
                </th>
                <th scope="col" class="end wide">
                  {m.traffic}
                </th>
              </tr>
            </thead>
            <tbody>
              {shown.value.slice(0, MOST_ROWS).map((device) => (
                <Row
                  key={device.id}
                  device={device}
                  isSelected={selected.value.has(device.id)}
                  {...(mayWrite
                    ? {
                        onSelect: (isOn: boolean) => {
                          selected.value = toggled(selected.value, device.id, isOn);
                        },
                      }
                    : {})}
                />
              ))}
            </tbody>
          </table>
        </div>
      )}
      {route.value.rest === 'new' && (mayWrite || mayAddOwn) && (
        <AddDevice isOwn={!mayWrite} onClose={() => go('#/devices')} />
      )}
    </>
  );
}

function Row({
  device,
  isSelected,
  onSelect,
}: {
  device: DeviceBody;
  isSelected: boolean;
  onSelect?: (isOn: boolean) => void;
}) {
  const m = messages.value;
  return (
    <tr>
      {onSelect !== undefined && (
        <td class="pick">
          <input
            type="checkbox"
            aria-label={m.devices.select(device.name)}
            checked={isSelected}
            onChange={(event) => onSelect(event.currentTarget.checked)}
          />
        </td>
      )}
      <td>
        <a href={`#/devices/${device.id}`}>{device.name}</a>{' '}
        {device.tags.map((tag) => (
          <span key={tag} class="tag">
            {tag}
          </span>
        ))}
      </td>
      <td>
        <State device={device} />
      </td>
      <td class="wide code">{device.addresses[0]}</td>
      <td class="wide">{ago(device.lastHandshakeUnixMs, nowUnixMs.value)}</td>
      <td class="end numbers">
        <Rate device={device} />
      </td>
      <td class="end numbers wide">
        ↑ {bytes(device.receivedBytes)} ↓ {bytes(device.sentBytes)}
      </td>
    </tr>
  );
}

/** The condition of a device, in a word and a shape. */
export function State({ device }: { device: DeviceBody }) {
  return <span class={`state ${device.condition}`}>{messages.value.conditions[device.condition]}</span>;
}

function Rate({ device }: { device: DeviceBody }) {
  const { receivedBytesPerSecond: up, sentBytesPerSecond: down } = device;
  if (up + down === 0) return <span class="quiet">–</span>;
  const { perSecond } = messages.value;
  return (
    <>
      ↑ {bytes(up)}
      {perSecond} ↓ {bytes(down)}
      {perSecond}
    </>
  );
}

function BulkBar({ selected, onDone }: { selected: ReadonlySet<string>; onDone: () => void }) {
  const m = messages.value.devices;
  const act = (action: BulkAction) =>
    attempt(async () => {
      const ids = [...selected];
      const failed = await bulk(ids, action);
      onDone();
      if (failed.length > 0) say(failed.join('; '));
      else if (action === 'remove')
        say(m.removed(m.selected(ids.length)), () => void attempt(() => bulk(ids, 'restore')));
    });
  return (
    <div class="row tools" role="toolbar" aria-label={m.selected(selected.size)}>
      <strong>{m.selected(selected.size)}</strong>
      <button type="button" class="button" onClick={() => void act('block')}>
        {m.block}
      </button>
      <button type="button" class="button" onClick={() => void act('unblock')}>
        {m.unblock}
      </button>
      <button type="button" class="button danger" onClick={() => void act('remove')}>
        {m.remove}
      </button>
    </div>
  );
}

type BulkAction = 'block' | 'unblock' | 'remove' | 'restore';

/** Does the same to many devices. @returns Why it failed for some. */
async function bulk(ids: readonly string[], action: BulkAction): Promise<string[]> {
  const body = { ids, action };
  const answer = await call<{ changed: DeviceBody[]; failed: { detail: string }[] }>('POST', '/devices/bulk', body);
  for (const device of answer.changed)
    if (action === 'remove') forget(device.id);
    else put(device);
  return answer.failed.map(({ detail }) => detail);
}

/** Puts a device into the bin, and offers to take it out again. */
export async function removeDevice(id: string, isOwn = false): Promise<void> {
  const name = devices.value.get(id)?.name ?? '';
  await call('DELETE', `${pathOf(isOwn)}/${id}`);
  forget(id);
  const undo = (): void => void call<DeviceBody>('POST', `/devices/${id}/restore`, {}).then(put);
  say(messages.value.devices.removed(name), isOwn ? undefined : undo);
}

function filtered(all: readonly DeviceBody[], query: URLSearchParams): DeviceBody[] {
  const words = (query.get('search') ?? '').toLowerCase().split(/\s+/);
  const condition = query.get('condition') ?? '';
  return all
    .filter((device) => condition === '' || device.condition === condition)
    .filter(({ name, addresses, tags }) => {
      const text = [name, ...addresses, ...tags].join(' ').toLowerCase();
      return words.every((word) => text.includes(word));
    })
    .toSorted((a, b) => a.name.localeCompare(b.name));
}

function toggled(set: ReadonlySet<string>, id: string, isOn: boolean): Set<string> {
  const next = new Set(set);
  if (isOn) next.add(id);
  else next.delete(id);
  return next;
}
