import { useEffect, useState } from 'preact/hooks';

import { call } from '../api.js';
import { dateTime } from '../format.js';
import { messages } from '../language.js';
import { devices } from '../live.js';
import { messageOf, say } from '../parts/ui.js';

interface Entry {
  readonly number: number;
  readonly atUnixMs: number;
  readonly actor: string;
  readonly operation: string;
  readonly object?: string;
  readonly details: Readonly<Record<string, unknown>>;
}

const PAGE = 50;

/** Who did what, newest first. */
export function Audit() {
  const [entries, setEntries] = useState<readonly Entry[]>([]);
  const [isWhole, setWhole] = useState(false);
  const m = messages.value.audit;
  const load = async (before?: number): Promise<void> => {
    try {
      const query = before === undefined ? '' : `&before=${before}`;
      const answer = await call<{ entries: Entry[] }>('GET', `/audit?limit=${PAGE}${query}`);
      setEntries((known) => (before === undefined ? answer.entries : [...known, ...answer.entries]));
      setWhole(answer.entries.length < PAGE);
    } catch (failure) {
      say(messageOf(failure));
    }
  };
  useEffect(() => void load(), []);
  return (
    <div class="stack">
      <div class="head">
        <h1>{m.title}</h1>
      </div>
      <section class="card scroll">
        {entries.length === 0 && <p class="quiet">{m.empty}</p>}
        <table>
          <thead>
            <tr>
              <th scope="col">{m.when}</th>
              <th scope="col">{m.who}</th>
              <th scope="col">{m.what}</th>
              <th scope="col" class="wide">
                {m.details}
              </th>
            </tr>
          </thead>
          <tbody>
            {entries.map(({ number, atUnixMs, actor, operation, object, details }) => (
              <tr key={number}>
                <td class="numbers">{dateTime(atUnixMs)}</td>
                <td class="code">{actor}</td>
                <td>
                  <span class="code">{operation}</span>{' '}
                  {object === undefined ? '' : (devices.value.get(object)?.name ?? object)}
                </td>
                <td class="code quiet wide">{Object.keys(details).length === 0 ? '' : JSON.stringify(details)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      {!isWhole && entries.length > 0 && (
        <div>
          <button type="button" class="button" onClick={() => void load(entries.at(-1)?.number)}>
            {m.more}
          </button>
        </div>
      )}
    </div>
  );
}
