import { useState } from 'preact/hooks';

import type { DeviceBody } from '../../src/server/operations/device-schemas.js';
import { call } from '../api.js';
import { messages } from '../language.js';
import { put } from '../live.js';
import { ErrorText, messageOf, say, TextField } from '../parts/ui.js';

const MBIT = 1e6;
const GB = 1e9;

/** Name, tags, note, end and limits of a device. */
export function DeviceForm({ device }: { device: DeviceBody }) {
  const [name, setName] = useState(device.name);
  const [tags, setTags] = useState(device.tags.join(' '));
  const [note, setNote] = useState(device.note);
  const [up, setUp] = useState(amount(device.limits.upBitsPerSecond, MBIT));
  const [down, setDown] = useState(amount(device.limits.downBitsPerSecond, MBIT));
  const [quota, setQuota] = useState(amount(device.limits.quotaBytes, GB));
  const [day, setDay] = useState(amount(device.limits.quotaResetDay, 1));
  const [expires, setExpires] = useState(localText(device.expiresAtUnixMs));
  const [error, setError] = useState('');
  const m = messages.value.device;
  const save = async (event: Event): Promise<void> => {
    event.preventDefault();
    const limits = Object.fromEntries(
      Object.entries({
        upBitsPerSecond: value(up, MBIT),
        downBitsPerSecond: value(down, MBIT),
        quotaBytes: value(quota, GB),
        quotaResetDay: value(day, 1),
      }).filter(([, number]) => number !== undefined),
    );
    const expiresAtUnixMs = expires === '' ? null : new Date(expires).getTime();
    try {
      put(
        await call<DeviceBody>('PATCH', `/devices/${device.id}`, {
          name,
          note,
          limits,
          expiresAtUnixMs,
          tags: tags.split(/\s+/).filter((tag) => tag !== ''),
        }),
      );
      say(m.saved);
    } catch (failure) {
      setError(messageOf(failure));
    }
  };
  return (
    <section class="card">
      <h2>{m.edit}</h2>
      <form class="stack" onSubmit={save}>
        <div class="fields">
          <TextField label={messages.value.add.name} value={name} onInput={setName} isRequired />
          <TextField label={messages.value.add.tags} value={tags} onInput={setTags} />
          <TextField label={m.note} value={note} onInput={setNote} />
          <TextField label={m.expires} type="datetime-local" value={expires} onInput={setExpires} />
          <TextField label={`${m.upRate} (Mbit/s)`} type="number" placeholder={m.noLimit} value={up} onInput={setUp} />
          <TextField
            label={`${m.downRate} (Mbit/s)`}
            type="number"
            placeholder={m.noLimit}
            value={down}
            onInput={setDown}
          />
          <TextField label={`${m.quota} (GB)`} type="number" placeholder={m.noLimit} value={quota} onInput={setQuota} />
          <TextField label={m.resetDay} type="number" placeholder="1" value={day} onInput={setDay} />
        </div>
        <ErrorText error={error} />
        <div>
          <button type="submit" class="button first">
            {messages.value.save}
          </button>
        </div>
      </form>
    </section>
  );
}

function amount(number: number | undefined, unit: number): string {
  return number === undefined ? '' : String(number / unit);
}

function value(text: string, unit: number): number | undefined {
  return text === '' || Number(text) === 0 ? undefined : Math.round(Number(text) * unit);
}

/** A moment in the form of `datetime-local`, in the time zone of the browser. */
function localText(unixMs: number | undefined): string {
  if (unixMs === undefined) return '';
  const date = new Date(unixMs);
  return new Date(unixMs - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
