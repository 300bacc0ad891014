import { useState } from 'preact/hooks';

import { call } from '../api.js';
import { ago } from '../format.js';
import { messages } from '../language.js';
import { nowUnixMs } from '../live.js';
import { useReloading } from '../parts/reloading.js';
import { TextField } from '../parts/ui.js';
import { addPasskey, canUsePasskeys } from '../passkeys.js';

interface Passkey {
  readonly id: string;
  readonly name: string;
  readonly lastUsedAtUnixMs?: number;
}

/** The passkeys of whoever is signed in. */
export function Passkeys() {
  const [passkeys, setPasskeys] = useState<readonly Passkey[]>([]);
  const [name, setName] = useState('');
  const m = messages.value.people;
  const load = () =>
    call<{ passkeys: Passkey[] }>('GET', '/account/passkeys').then((answer) => setPasskeys(answer.passkeys));
  const act = useReloading(load);
  return (
    <>
      <h3>{m.passkeys}</h3>
      <p class="hint">{canUsePasskeys() ? m.passkeyText : m.noPasskeys}</p>
      <ul class="stack">
        {passkeys.map((passkey) => (
          <li key={passkey.id} class="row">
            <span>
              {passkey.name} <span class="hint">{ago(passkey.lastUsedAtUnixMs, nowUnixMs.value)}</span>
            </span>
            <button
              type="button"
              class="button"
              aria-label={`${m.remove} ${passkey.name}`}
              onClick={() => void act(() => call('DELETE', `/account/passkeys/${passkey.id}`))}
            >
              {m.remove}
            </button>
          </li>
        ))}
      </ul>
      {canUsePasskeys() && (
        <form
          class="row"
          onSubmit={(event) => {
            event.preventDefault();
            void act(async () => {
              await addPasskey(name);
              setName('');
            });
          }}
        >
          <TextField label={m.passkeyName} value={name} onInput={setName} isRequired />
          <button type="submit" class="button">
            {m.addPasskey}
          </button>
        </form>
      )}
    </>
  );
}
