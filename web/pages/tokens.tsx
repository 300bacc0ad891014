import { useState } from 'preact/hooks';

import { call } from '../api.js';
import { ago, dateTime } from '../format.js';
import { messages } from '../language.js';
import { nowUnixMs } from '../live.js';
import { useReloading } from '../parts/reloading.js';
import { CopyText, Field, TextField } from '../parts/ui.js';

interface Token {
  readonly id: string;
  readonly name: string;
  readonly scopes: readonly string[];
  readonly expiresAtUnixMs?: number;
  readonly lastUsedAtUnixMs?: number;
}

const SCOPES = [
  'devices:read',
  'devices:write',
  'rules:read',
  'rules:write',
  'settings:read',
  'metrics:read',
  'audit:read',
];

/** Tokens for programs: a new one is shown once. */
export function Tokens() {
  const [tokens, setTokens] = useState<readonly Token[]>([]);
  const [name, setName] = useState('');
  const [scope, setScope] = useState(SCOPES[0]!);
  const [token, setToken] = useState('');
  const m = messages.value.people;
  const load = () => call<{ tokens: Token[] }>('GET', '/tokens').then((answer) => setTokens(answer.tokens));
  const act = useReloading(load);
  const make = (event: Event): void => {
    event.preventDefault();
    void act(async () => setToken((await call<{ token: string }>('POST', '/tokens', { name, scopes: [scope] })).token));
  };
  return (
    <section class="card stack">
      <h2>{m.tokens}</h2>
      {tokens.length > 0 && (
        <div class="scroll">
          <table>
            <tbody>
              {tokens.map((each) => (
                <tr key={each.id}>
                  <td>{each.name}</td>
                  <td class="code">{each.scopes.join(' ')}</td>
                  <td class="quiet wide">
                    {m.lastUsed}: {ago(each.lastUsedAtUnixMs, nowUnixMs.value)}
                  </td>
                  <td class="quiet wide">
                    {each.expiresAtUnixMs === undefined ? '' : `${m.expires}: ${dateTime(each.expiresAtUnixMs)}`}
                  </td>
                  <td class="end">
                    <button
                      type="button"
                      class="button danger"
                      onClick={() => void act(() => call('DELETE', `/tokens/${each.id}`))}
                    >
                      {m.remove}
                    </button>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      <form class="fields" onSubmit={make}>
        <TextField label={messages.value.add.name} value={name} onInput={setName} isRequired />
        <Field label={m.scopes}>
          {(id) => (
            <select id={id} value={scope} onChange={(event) => setScope(event.currentTarget.value)}>
              {SCOPES.map((each) => (
                <option key={each}>{each}</option>
              ))}
            </select>
          )}
        </Field>
        <div>
          <button type="submit" class="button">
            {m.makeToken}
          </button>
        </div>
      </form>
      {token !== '' && (
        <div>
          <p>{m.tokenText}</p>
          <CopyText text={token} label={m.tokenText} />
        </div>
      )}
    </section>
  );
}
