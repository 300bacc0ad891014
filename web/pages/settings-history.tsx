import { useEffect, useState } from 'preact/hooks';

import { call } from '../api.js';
import { dateTime } from '../format.js';
import { messages } from '../language.js';
import { changes } from '../live.js';
import { attempt, say } from '../parts/ui.js';

interface Entry {
  readonly number: number;
  readonly atUnixMs: number;
  readonly actor: string;
  readonly changes: readonly { readonly name: string; readonly from: unknown; readonly to: unknown }[];
}

/** What the settings were, with a way back. */
export function SettingsHistory({ mayWrite }: { mayWrite: boolean }) {
  const [entries, setEntries] = useState<readonly Entry[]>([]);
  const m = messages.value.settings;
  useEffect(() => {
    void attempt(async () => setEntries((await call<{ entries: Entry[] }>('GET', '/settings/history')).entries));
  }, [changes.value]);
  const restore = (number: number) =>
    attempt(async () => {
      await call('POST', '/settings/restore', { number });
      say(messages.value.device.saved);
    });
  return (
    <section class="card stack">
      <h2>{m.history}</h2>
      {entries.length === 0 && <p class="quiet">{m.noHistory}</p>}
      <ul class="stack">
        {entries.map(({ number, atUnixMs, actor, changes: made }) => (
          <li key={number} class="row">
            <span>
              {dateTime(atUnixMs)} <span class="quiet">{actor}</span>:{' '}
              {made.map(({ name, from, to }) => (
                <span key={name}>
                  {name} <s class="quiet code">{JSON.stringify(from)}</s> →{' '}
                  <span class="code">{JSON.stringify(to)}</span>{' '}
                </span>
              ))}
            </span>
            {mayWrite && (
              <button type="button" class="button" onClick={() => void restore(number)}>
                {m.back}
              </button>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}
